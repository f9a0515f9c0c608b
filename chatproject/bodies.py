"""Request bodies: none is taken in beyond its limit, and none lies on disk in clear.

Django reads all of a body before any view, so the limit is kept here, while it comes in.
"""

from types import SimpleNamespace
from typing import IO, Any, cast

import msgspec
from django.conf import settings
from django.core.exceptions import RequestAborted

from chatproject.handler import Handler
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.spool import Spool
from conversations.api.problems import CONTENT_TYPE, document

DISCONNECT = {"type": "http.disconnect"}
# What the fields and boundaries of a multipart body take beside its file.
MULTIPART_BYTES = 16 * 1024
# Where files are uploaded, and the setting with their greatest length.
UPLOADS = {
    "/api/v1/files/": "FILE_MAX_BYTES",
    "/api/v1/conversations/import/": "IMPORT_MAX_BYTES",
    "/exports/": "IMPORT_MAX_BYTES",
}


class EncryptedBodies(Handler):
    """Our handler, but for the temporary file in which it keeps a large body."""

    async def read_body(self, receive: Any) -> IO[bytes]:
        body = Spool()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                body.close()
                raise RequestAborted
            body.write(message.get("body", b""))
            if not message.get("more_body", False):
                break
        return cast(IO[bytes], body)

    def create_request(self, scope: Any, body_file: Any) -> Any:
        """A body that came in chunks has a length too by now; without one it would be taken for empty."""
        request, refusal = super().create_request(scope, body_file)
        if request is not None:
            request.META.setdefault("CONTENT_LENGTH", str(body_file.size))
        return request, refusal


class BodyLimit:
    """An ASGI application around another; answers 413 itself."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        limit = limit_of(scope)
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


def limit_of(scope: Any) -> int:
    """MAX_BODY_BYTES; where files are uploaded, a file and what goes with it."""
    limit = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    if scope["method"] == "POST" and scope["path"] in UPLOADS:
        return max(getattr(settings, UPLOADS[scope["path"]]) + MULTIPART_BYTES, limit)
    return limit


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
        "x-content-type-options": "nosniff",
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.code.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
