"""Connections that go to the very address that was checked, and end in time.

A host is resolved once for a connection; what was found is checked and connected to, so that a name that
resolves to something else a moment later (DNS rebinding) gains nothing. TLS and `Host` still have the name.
"""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import httpcore2 as httpcore

from chatproject.lib import gulps
from chatproject.lib.outgoing.rules import Resolve, permitted

# The system's resolver blocks, and cannot be told to give up.
_resolving = ThreadPoolExecutor(8, thread_name_prefix="resolve")


class Deadline:
    """The moment until which a connection may be used."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, timeout: float | None, error: type[Exception] = httpcore.ReadTimeout) -> float:
        """Seconds that the next step may take. Raises `error` where none are left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise error("This took too long.")
        return left if timeout is None else min(left, timeout)


class Backend(httpcore.NetworkBackend):
    """For httpcore's blocking pools."""

    def __init__(self, resolve: Resolve, seconds: float) -> None:
        self._resolve, self._seconds = resolve, seconds
        self._network = httpcore.SyncBackend()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any) -> Any:
        deadline = Deadline(self._seconds)

        def connect(address: str) -> Stream:
            left = deadline.left(timeout, httpcore.ConnectTimeout)
            return Stream(self._network.connect_tcp(address, port, left, *args, **options), deadline)

        with _named_errors():
            found = _resolving.submit(self._resolve, host, port).result(deadline.left(timeout))
        *first, last = permitted(host, port, found)
        for address in first:
            with suppress(httpcore.ConnectError):
                return connect(address)
        return connect(last)


class Stream(httpcore.NetworkStream):
    """A connection with a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """For httpcore's pools of an event loop."""

    def __init__(self, resolve: Resolve, seconds: float) -> None:
        self._resolve, self._seconds = resolve, seconds
        self._network = gulps.Backend()

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any) -> Any:
        deadline = Deadline(self._seconds)

        async def connect(address: str) -> AsyncStream:
            left = deadline.left(timeout, httpcore.ConnectTimeout)
            return AsyncStream(await self._network.connect_tcp(address, port, left, *args, **options), deadline)

        with _named_errors():
            asked = asyncio.wrap_future(_resolving.submit(self._resolve, host, port))
            found = await asyncio.wait_for(asked, deadline.left(timeout))
        *first, last = permitted(host, port, found)
        for address in first:
            with suppress(httpcore.ConnectError):
                return await connect(address)
        return await connect(last)


class AsyncStream(httpcore.AsyncNetworkStream):
    """The same with a deadline."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, self._deadline.left(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, self._deadline.left(timeout, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> Any:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextmanager
def _named_errors() -> Iterator[None]:
    """What resolving raises, as httpcore's."""
    try:
        yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout("The host was not found in time.") from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError("The host was not found.") from error
