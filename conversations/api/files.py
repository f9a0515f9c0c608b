"""Routes of files."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.errors import Problem
from chatproject.lib.http import idempotency_key
from chatproject.lib.ids import parse_id
from conversations import selectors, wire
from conversations.api.base import View
from conversations.api.downloads import download
from conversations.api.exports import Whatever
from conversations.api.pagination import PAGE, ByUpload
from conversations.api.serializers import FilePage, FileShape
from conversations.permissions import Permission
from conversations.services import files

FORM = {
    "multipart/form-data": {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "conversation": {"type": "string", "format": "uuid"},
        },
        "required": ["file", "conversation"],
    }
}
CONTENT: dict[Any, Any] = {
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    (200, "application/json"): FileShape,
    (206, "application/octet-stream"): OpenApiTypes.BINARY,
}


class FilesView(View):
    permissions = {"GET": Permission.READ, "POST": Permission.SEND}
    limits = {"POST": "upload"}
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="v1_files_list",
        responses=FilePage,
        parameters=[OpenApiParameter("conversation", UUID, required=True), *PAGE],
    )
    def get(self, request: Request) -> Response:
        """The files of a conversation, the latest first."""
        conversation = self.conversation(_conversation(request.query_params.get("conversation")))
        pages = ByUpload()
        page = pages.paginate_queryset(selectors.files(conversation.id), request, view=self)
        return pages.get_paginated_response([wire.file(row) for row in page or ()])

    @extend_schema(request=FORM, responses={201: FileShape})
    def post(self, request: Request) -> Response:
        """Store a file, to be attached to a message by `parts`."""
        conversation = self.conversation(_conversation(request.POST.get("conversation")))
        row = files.upload(user=self.user, conversation=conversation.id, given=_uploaded(request))
        return Response(wire.file(row), status=201)


class FileView(View):
    permissions = {"GET": Permission.READ, "DELETE": Permission.SEND}
    content_negotiation_class = Whatever

    @extend_schema(
        responses=CONTENT,
        parameters=[
            OpenApiParameter("meta", bool, description="What is known about it, instead of its content."),
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes."),
        ],
    )
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        """The content of a file."""
        row = selectors.file_for(self.user, id, self.permissions["GET"])
        if request.query_params.get("meta"):
            return Response(wire.file(row))
        return download(self.user, row, asked=request.headers.get("Range"), with_body=request.method != "HEAD")

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Take back a file that no message carries."""
        files.delete(user=self.user, file=selectors.file_for(self.user, id, self.permissions["DELETE"]))
        return Response(status=204)


def _conversation(value: Any) -> UUID:
    """Raises Problem `invalid`."""
    id_ = parse_id(value) if isinstance(value, str) else None
    if id_ is None:
        raise Problem("invalid", errors={"conversation": ["The id of a conversation."]})
    return id_


def _uploaded(request: Request) -> files.Upload:
    """The one file of the body. Raises Problem `invalid`."""
    found = request.FILES.getlist("file")
    if len(found) != 1 or found[0].file is None:
        raise Problem("invalid", errors={"file": ["One file with a name."]})
    return files.Upload(found[0].file, found[0].size or 0, found[0].name or "", idempotency_key(request))
