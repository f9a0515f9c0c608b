"""Routes of exports of many conversations, made in the background."""

from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from chatproject.lib.http import checked, idempotency_key
from conversations import selectors, wire
from conversations.api.exports import Whatever
from conversations.api.pagination import PAGE, ByUpload
from conversations.api.transfer_shapes import BulkInput, BulkPage, BulkShape
from conversations.services import exports
from conversations.transfer import archives


class BulkExportsView(LoggedIn):
    limits = {"POST": "export"}

    @extend_schema(operation_id="v1_exports_list", responses=BulkPage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """The exports of the user, the latest first."""
        pages = ByUpload()
        page = pages.paginate_queryset(selectors.exports(self.user), request, view=self)
        return pages.get_paginated_response([wire.export(row) for row in page or ()])

    @extend_schema(request=BulkInput, responses={201: BulkShape})
    def post(self, request: Request) -> Response:
        """Have all conversations of the user exported in the background, or those that are named."""
        given = checked(BulkInput, request)
        export = exports.start(user=self.user, idempotency_key=idempotency_key(request), **given)
        return Response(wire.export(export), status=201)


class BulkExportView(LoggedIn):
    @extend_schema(responses=BulkShape)
    def get(self, request: Request, id: UUID) -> Response:
        """How far an export is."""
        return Response(wire.export(selectors.export_for(self.user, id)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Cancel an export, or delete what it made."""
        exports.remove(user=self.user, export=id)
        return Response(status=204)


class BulkDownloadView(LoggedIn):
    content_negotiation_class = Whatever

    @extend_schema(responses={(200, "application/zip"): bytes})
    def get(self, request: Request, id: UUID) -> StreamingHttpResponse:
        """A ZIP archive with one JSONL file per conversation."""
        return archives.download(self.user, selectors.export_for(self.user, id))
