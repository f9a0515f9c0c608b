"""Reading a stream in gulps: what comes token by token is waited for once for several of them.

Between two reads of the connection there is a rest, and the next read brings all that came meanwhile, which is handled
without another look at the connection (docs/decisions/0028-answers-in-gulps.md).
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore2 as httpcore
import httpx2 as httpx

CONNECTIONS, IDLE_CONNECTIONS = 1000, 100


class _Rests:
    """`seconds` says how long the next rest is."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds()

    async def rest(self) -> None:
        left = self._until - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)
        self._until = time.monotonic() + self._seconds()


_rests: ContextVar[_Rests | None] = ContextVar("rests", default=None)


@contextmanager
def in_gulps(seconds: Callable[[], float]) -> Iterator[None]:
    """Inside, reads of a `Stream` are `seconds()` from each other at least."""
    token = _rests.set(_Rests(seconds))
    try:
        yield
    finally:
        _rests.reset(token)


class Stream(httpcore.AsyncNetworkStream):
    """A connection that is read in gulps where its reader says so."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, *args: Any, **options: Any) -> bytes:
        if rests := _rests.get():
            await rests.rest()
        return await self._stream.read(*args, **options)

    async def write(self, *args: Any, **options: Any) -> None:
        await self._stream.write(*args, **options)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **options: Any) -> "Stream":
        return Stream(await self._stream.start_tls(*args, **options))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend(httpcore.AsyncNetworkBackend):
    """Makes such connections."""

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network

    async def connect_tcp(self, *args: Any, **options: Any) -> Stream:
        return Stream(await self._network.connect_tcp(*args, **options))


class Transport(httpx.AsyncHTTPTransport):
    """httpx's own, over such connections."""

    def __init__(self) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=CONNECTIONS,
            max_keepalive_connections=IDLE_CONNECTIONS,
            network_backend=Backend(httpcore.AnyIOBackend()),
        )
