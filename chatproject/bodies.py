"""No request body is taken in beyond MAX_BODY_BYTES: Django would store all of it on disk before any view."""

from types import SimpleNamespace
from typing import Any

import msgspec
from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations.api.problems import CONTENT_TYPE, document

DISCONNECT = {"type": "http.disconnect"}


class BodyLimit:
    """An ASGI application around another; answers 413 itself."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if announced(scope) > limit:
            return await refuse(send, limit)
        taken = 0

        async def counted() -> Any:
            """What comes, until it is too much: then the application hears that the client has gone."""
            nonlocal taken
            message = await receive() if taken <= limit else DISCONNECT
            taken += len(message.get("body", b""))
            return message if taken <= limit else DISCONNECT

        await self.application(scope, counted, send)
        if taken > limit:
            await refuse(send, limit)


def announced(scope: Any) -> int:
    """The Content-Length, or 0 where there is none that can be read."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() and len(length) < 20 else 0


async def refuse(send: Any, limit: int) -> None:
    request_id = str(new_id())
    problem = Problem("too_large", f"A body has at most {limit} bytes.")
    body = msgspec.json.encode(document(problem, SimpleNamespace(request_id=request_id)))
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "x-request-id": request_id,
        "connection": "close",
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.code.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
