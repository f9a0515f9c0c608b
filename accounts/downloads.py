"""What somebody downloads ends with the login by which they asked for it, as all that is open does."""

import time
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from django.db import Error
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts.identities import Identity
from accounts.services import credentials
from chatproject.lib.threads import in_thread

# Between two looks at the login.
LOOK_SECONDS = 1.0
LIVE = "text/event-stream"


class HeldDownloads:
    """Answers that are made piece by piece break off between two pieces once their login is over. Event streams are
    looked after by the hub (realtime/hub.py)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and response["Content-Type"] != LIVE:
            identity: Identity | None = getattr(request, "shown", None) or request.identity  # type: ignore[attr-defined]
            pieces = response.streaming_content
            if identity and isinstance(pieces, AsyncIterator):
                response.streaming_content = _held(pieces, identity.login)
        return response


async def _held(pieces: AsyncIterator[bytes], login: UUID) -> AsyncIterator[bytes]:
    """Raises Problem `unauthenticated` when the login is over: an answer that just ended would look whole."""
    looked = time.monotonic()
    async for piece in pieces:
        if time.monotonic() - looked >= LOOK_SECONDS:
            await in_thread(_check, login)
            looked = time.monotonic()
        yield piece


def _check(login: UUID) -> None:
    try:
        credentials.check(login)
    except Error:
        return  # nobody can say now; sockets stay, too
