"""Routes that give conversations away as files."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import selectors, wire
from conversations.access import Permission, require
from conversations.api.base import View
from conversations.services import exports
from conversations.transfer import filenames
from conversations.transfer.exporting import FORMS

FORMAT = OpenApiParameter("format", str, enum=list(FORMS), default="jsonl")


class Whatever(DefaultContentNegotiation):
    """Files are asked for by name, not by media type: any `Accept` will do."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExportView(View):
    permissions = {"GET": Permission.READ}
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


async def _watched(user: User, conversation: UUID, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made when the client has taken the one before. Breaks off for who is removed meanwhile."""

    def following() -> bytes | None:
        require(selectors.role_of(user.id, conversation), Permission.READ)
        return next(pieces, None)

    while (piece := await in_thread(following)) is not None:
        yield piece
