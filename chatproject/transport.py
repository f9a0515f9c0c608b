"""Where HTTPS is on, nothing is said over a plain connection.

Django sends people's browsers to https. Programs are refused: a client that followed a redirect would send its token
in clear again the next time. Health checks and figures are asked for inside, and exempt from both.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from chatproject.lib.errors import Problem
from conversations.api.problems import plain_response

# What proxies call the way of a socket over TLS.
SECURE = ("https", "wss")
PROGRAMS = ("/api/", "/v1/", "/chatkit/")


class EncryptedOnly:
    """Middleware for HTTP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.HTTPS and not request.is_secure() and request.path.startswith(PROGRAMS):
            return plain_response(
                Problem("forbidden", "Come by https; a token sent in clear is to be changed."), request
            )
        return self.get_response(request)


class EncryptedSockets:
    """An ASGI application around that of the sockets: a plain handshake is answered 403."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if settings.HTTPS and not _came_encrypted(scope):
            await receive()
            return await send({"type": "websocket.close", "code": 1008})
        await self.application(scope, receive, send)


def _came_encrypted(scope: Any) -> bool:
    """What the proxy says, who alone is asked: what stands behind it sees plain connections only."""
    told = [value.decode("latin-1").strip().lower() for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    return len(told) == 1 and told[0] in SECURE
