"""The content of a file as an HTTP answer: chunk by chunk, always an attachment, never run by a browser."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations import keys, selectors, wire
from conversations.files import content
from conversations.files.content import CHUNK_BYTES
from conversations.files.sniffing import UNKNOWN
from conversations.models import File

# What may be sent under its own type, because no browser runs it; anything else is `application/octet-stream`.
HARMLESS = re.compile(
    r"image/(png|jpeg|gif|webp|avif|heic|tiff)|(audio|video)/[\w.+-]+|text/(plain|markdown|csv|tab-separated-values)"
    r"|application/(pdf|json|zip|gzip|x-7z-compressed|vnd\.openxmlformats-officedocument\.[\w.-]+)"
)
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def download(user: User, file: File, *, asked: str | None, with_body: bool) -> HttpResponseBase:
    """The file, or the one range of it that the header Range `asked` for (RFC 9110, 14.2). Any other is ignored."""
    found = _range(asked or "", file.size)
    first, last = found or (0, file.size - 1)
    headers = {**_headers(file), "Content-Length": str(last - first + 1)}
    if found:
        headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    status = 206 if found else 200
    if not with_body:
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(_stream(user, file.id, first, last), status=status, headers=headers)


def _headers(file: File) -> dict[str, str]:
    return {
        "Content-Type": file.type if HARMLESS.fullmatch(file.type) else UNKNOWN,
        "Content-Disposition": str(content_disposition_header(True, wire.file_name(file))),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
    }


def _range(asked: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that are asked for; None where that is not understood, or nothing is there."""
    spelled = _RANGE.fullmatch(asked)
    first, last = spelled.groups() if spelled else ("", "")
    if first:
        found = int(first), min(int(last), size - 1) if last else size - 1
    else:
        found = max(0, size - int(last or 0)), size - 1
    return found if found[0] <= found[1] else None


async def _stream(user: User, id_: UUID, first: int, last: int) -> AsyncIterator[bytes]:
    for number in range(first // CHUNK_BYTES, last // CHUNK_BYTES + 1):
        piece = await in_thread(_piece, user, id_, number)
        begin = number * CHUNK_BYTES
        yield piece[max(0, first - begin) : last + 1 - begin]


def _piece(user: User, id_: UUID, number: int) -> bytes:
    """Who was removed while a slow download goes on, gets no more of it."""
    file = selectors.file_for(user, id_)
    return content.chunk(file, number, keys.of(file.conversation_id))
