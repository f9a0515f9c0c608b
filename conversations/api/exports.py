"""Routes that give conversations away as files, and take them in."""

from collections.abc import AsyncIterator, Iterator
from typing import IO, Any, cast
from uuid import UUID

from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.http import etag, idempotency_key
from chatproject.lib.threads import in_thread
from conversations import selectors, wire
from conversations.api.base import View
from conversations.api.transfer_shapes import ImportInput, ImportShape
from conversations.permissions import Permission, require
from conversations.services import exports, importing
from conversations.services.conversations import AlreadyCreated
from conversations.transfer import filenames
from conversations.transfer.exporting import FORMS

FORMAT = OpenApiParameter("format", str, enum=list(FORMS), default="jsonl")


class Whatever(DefaultContentNegotiation):
    """Files are asked for by name, not by media type: any `Accept` will do."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExportView(View):
    permissions = {"GET": Permission.READ}
    limits = {"GET": "export"}
    content_negotiation_class = Whatever

    @extend_schema(
        parameters=[FORMAT], responses={(200, form.media_type.split(";")[0]): bytes for form in FORMS.values()}
    )
    def get(self, request: Request, id: UUID) -> StreamingHttpResponse:
        """The whole conversation as a file; what is said while it is being sent is not in it."""
        row = self.conversation(id)
        name = request.query_params.get("format", "jsonl")
        if name not in FORMS:
            raise Problem("invalid", errors={"format": [f"One of {', '.join(FORMS)}."]})
        exports.record_export(user=self.user, conversation=id, form=name)
        body = _watched(self.user, id, FORMS[name].write(row))
        response = StreamingHttpResponse(body, content_type=FORMS[name].media_type)
        response["Content-Disposition"] = filenames.attachment(wire.title(row), name)
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response


class ImportView(View):
    limits = {"POST": "upload"}
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": ImportInput}, responses={201: ImportShape})
    def post(self, request: Request) -> Response:
        """Make new conversations from a file: an export of ours (JSONL, JSON), of Chainlit or of ChatGPT."""
        try:
            done = importing.import_file(
                user=self.user, file=uploaded(request), idempotency_key=idempotency_key(request)
            )
        except AlreadyCreated as before:
            done = [before.conversation]
        rows = [selectors.shown_conversation(self.user, id_) for id_ in done]
        imported = [{"id": str(row.id), "title": wire.title(row), "head": row.last_seq} for row in rows]
        first = selectors.wire_conversation(rows[0])
        return Response({**first, "imported": imported}, status=201, headers={"ETag": etag(rows[0].version)})


def uploaded(request: Request) -> IO[bytes]:
    """The file of a form. Raises Problem `invalid`, `too_large`."""
    file = request.FILES.get("file")
    if file is None:
        raise Problem("invalid", errors={"file": ["Send the file as the multipart field `file`."]})
    if file.size > settings.IMPORT_MAX_BYTES:
        raise Problem("too_large", f"A file has at most {settings.IMPORT_MAX_BYTES} bytes.")
    return cast(IO[bytes], file.file)


async def _watched(user: User, conversation: UUID, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made when the client has taken the one before. Breaks off for who is removed meanwhile."""

    def following() -> bytes | None:
        require(selectors.role_of(user.id, conversation), Permission.READ)
        return next(pieces, None)

    while (piece := await in_thread(following)) is not None:
        yield piece
