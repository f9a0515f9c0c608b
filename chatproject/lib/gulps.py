"""Reading a stream in gulps: what comes token by token is waited for once for several of them.

Before each look at the network there is a rest, and the next look brings all that came meanwhile, which is handled
without another one (docs/decisions/0028-answers-in-gulps.md). It stands below TLS, of which each look would bring one
record.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore2 as httpcore
import httpx2 as httpx
from anyio.abc import ByteStream


class Rhythm:
    """`seconds` says how long it is from one look to the next."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._next = time.monotonic() + seconds()

    async def rest(self) -> None:
        left = self._next - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)
        self._next = time.monotonic() + self._seconds()


_rhythm: ContextVar[Rhythm | None] = ContextVar("rhythm", default=None)


@contextmanager
def in_gulps(seconds: Callable[[], float]) -> Iterator[None]:
    """Inside, looks at connections of a `Backend` are `seconds()` from each other at least."""
    token = _rhythm.set(Rhythm(seconds))
    try:
        yield
    finally:
        _rhythm.reset(token)


class Stream(ByteStream):
    """A connection that is looked at in the rhythm of its reader."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if rhythm := _rhythm.get():
            await rhythm.rest()
        return await self._stream.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        await self._stream.send(item)

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._stream.extra_attributes


class Backend(httpcore.AnyIOBackend):
    """Makes such connections."""

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        made: Any = await super().connect_tcp(*args, **options)
        made._stream = Stream(made._stream)
        return made


def read_in_gulps(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Have `client`, which has no connections yet, make such ones, also to proxies; the same client."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.AsyncHTTPTransport):
            transport._pool._network_backend = Backend()
    return client
