"""httpx clients for addresses that people give (connectors, webhooks): none reaches our own networks.

Every request, each redirect's too, is checked (rules.py), goes to the address that was checked (connecting.py) and
is answered within so many seconds and bytes. A connection is used once, so that these bounds are a request's own.
The environment's proxies count for nothing. Addresses that the operator sets (OPENAI_BASE_URL …) need none of this.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpcore2 as httpcore
import httpx2 as httpx
from django.conf import settings

from chatproject.lib.outgoing.connecting import AsyncBackend, Backend
from chatproject.lib.outgoing.rules import Refused, Resolve, refuse_unless_allowed, resolve

MAX_REDIRECTS = 5
CONNECTIONS = 20


def client(
    *,
    seconds: float = 0,
    max_bytes: int = 0,
    resolve: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
    **more: Any,
) -> httpx.Client:
    """A client for blocking code, to be used in `with`.

    A request and its answer take at most `seconds` (OUTGOING_SECONDS), the answer's body `max_bytes`
    (OUTGOING_MAX_BYTES). Redirects are followed with `follow_redirects=True`; `more` is httpx's own.
    What it raises is httpx's, `Refused` (a TransportError) included.
    """
    limits = (seconds or settings.OUTGOING_SECONDS, max_bytes or settings.OUTGOING_MAX_BYTES)
    return httpx.Client(transport=Transport(*limits, resolve, tls), **_common(limits[0]), **more)


def async_client(
    *,
    seconds: float = 0,
    max_bytes: int = 0,
    resolve: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
    **more: Any,
) -> httpx.AsyncClient:
    """The same for an event loop, to be used in `async with`."""
    limits = (seconds or settings.OUTGOING_SECONDS, max_bytes or settings.OUTGOING_MAX_BYTES)
    return httpx.AsyncClient(transport=AsyncTransport(*limits, resolve, tls), **_common(limits[0]), **more)


def _common(seconds: float) -> dict[str, Any]:
    return {"timeout": seconds, "trust_env": False, "max_redirects": MAX_REDIRECTS}


def _pool(tls: ssl.SSLContext | None) -> dict[str, Any]:
    return {
        "ssl_context": tls or httpx.create_ssl_context(),
        "max_connections": CONNECTIONS,
        "max_keepalive_connections": 0,
    }


class Transport(httpx.HTTPTransport):
    """httpx's own, over connections of ours."""

    def __init__(self, seconds: float, max_bytes: int, resolve: Resolve, tls: ssl.SSLContext | None) -> None:
        self._max_bytes = max_bytes
        self._pool = httpcore.ConnectionPool(network_backend=Backend(resolve, seconds), **_pool(tls))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _prepare(request)
        response = super().handle_request(request)
        response.stream = Bounded(response.stream, _bound(response, self._max_bytes))
        return response


class AsyncTransport(httpx.AsyncHTTPTransport):
    """The same for an event loop."""

    def __init__(self, seconds: float, max_bytes: int, resolve: Resolve, tls: ssl.SSLContext | None) -> None:
        self._max_bytes = max_bytes
        self._pool = httpcore.AsyncConnectionPool(network_backend=AsyncBackend(resolve, seconds), **_pool(tls))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _prepare(request)
        response = await super().handle_async_request(request)
        response.stream = Bounded(response.stream, _bound(response, self._max_bytes))
        return response


class Bounded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, until it is too long."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream, self._left = stream, most

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            yield self._counted(piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield self._counted(piece)

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise Refused("The answer is too long.")
        return piece

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _prepare(request: httpx.Request) -> None:
    """Nothing packed is asked for: what unpacks to a thousand times its size would pass every limit."""
    refuse_unless_allowed(request.url)
    request.headers["Accept-Encoding"] = "identity"


def _bound(response: httpx.Response, most: int) -> int:
    """`most`, or nothing at all where the answer is packed all the same."""
    packed = response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")
    return -1 if packed else most
