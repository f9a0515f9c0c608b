"""Routes of reports: documents that are filled from conversations, and the templates that say how."""

import io
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from chatproject.lib.errors import Problem
from chatproject.lib.http import checked, flag, idempotency_key
from conversations import selectors, wire
from conversations.api.exports import Whatever
from conversations.api.pagination import PAGE, ByName, ByUpload
from conversations.api.report_shapes import (
    ReportInput,
    ReportPage,
    ReportShape,
    ReportTemplateInput,
    ReportTemplatePage,
    ReportTemplateShape,
)
from conversations.api.share_shapes import ShareInput, SharePage, ShareShape
from conversations.assistants.defaults import default_assistant
from conversations.reports import downloads
from conversations.reports.documents import FORMS
from conversations.services import reports, reporttemplates, shares
from conversations.services.reports import Wish

SHARED = OpenApiParameter("shared", bool, description="Those for everybody; for staff.")


class ReportsView(LoggedIn):
    limits = {"POST": "export"}

    @extend_schema(operation_id="v1_reports_list", responses=ReportPage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """The reports of the user, the latest first."""
        pages = ByUpload()
        page: list[Any] | None = pages.paginate_queryset(selectors.reports(self.user), request, view=self)
        return pages.get_paginated_response([wire.report(row) for row in page or ()])

    @extend_schema(request=ReportInput, responses={201: ReportShape})
    def post(self, request: Request) -> Response:
        """Have a report of conversations, or of a batch, made in the background."""
        given = checked(ReportInput, request)
        given["form"] = given.pop("format")
        wish = Wish(**{**given, "assistant": given.get("assistant") or default_assistant()})
        row = reports.start(user=self.user, wish=wish, idempotency_key=idempotency_key(request))
        return Response(wire.report(row), status=201)


class ReportView(LoggedIn):
    @extend_schema(responses=ReportShape)
    def get(self, request: Request, id: UUID) -> Response:
        """How far a report is."""
        return Response(wire.report(selectors.report_for(self.user, id)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Cancel a report, or delete what it made; its links end."""
        reports.remove(user=self.user, report=id)
        return Response(status=204)


class ReportDownloadView(LoggedIn):
    content_negotiation_class = Whatever

    @extend_schema(responses={(200, form.media_type.split(";")[0]): bytes for form in FORMS.values()})
    def get(self, request: Request, id: UUID) -> StreamingHttpResponse:
        """The document, once `status` is completed."""
        return downloads.own(self.user, selectors.report_for(self.user, id))


class ReportSharesView(LoggedIn):
    @extend_schema(operation_id="v1_reports_shares_list", responses=SharePage, parameters=PAGE)
    def get(self, request: Request, id: UUID) -> Response:
        """The links to a report that are not over, the latest first."""
        report = selectors.report_for(self.user, id)
        pages = ByUpload()
        page: list[Any] | None = pages.paginate_queryset(selectors.shares_of_report(report.id), request, view=self)
        return pages.get_paginated_response([wire.share(row) for row in page or ()])

    @extend_schema(request=ShareInput, responses={201: ShareShape})
    def post(self, request: Request, id: UUID) -> Response:
        """Make a link to a report; its token is told this once."""
        report = selectors.report_for(self.user, id)
        wish = shares.Wish(**checked(ShareInput, request))
        row, token = shares.create_of_report(
            user=self.user, report=report.id, wish=wish, idempotency_key=idempotency_key(request)
        )
        url = request.build_absolute_uri(reverse("shared", args=[token]))
        return Response(wire.share(row, token=token, url=url), status=201, headers={"Cache-Control": "no-store"})


class ReportShareView(LoggedIn):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID, share: UUID) -> Response:
        """Revoke a link to a report."""
        shares.revoke_of_report(user=self.user, report=selectors.report_for(self.user, id).id, share=share)
        return Response(status=204)


class ReportTemplatesView(LoggedIn):
    limits = {"POST": "upload"}
    parser_classes = (JSONParser, MultiPartParser, FormParser)

    @extend_schema(operation_id="v1_report_templates_list", responses=ReportTemplatePage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """One's own templates, and those that are shared with everybody."""
        pages = ByName()
        page: list[Any] | None = pages.paginate_queryset(selectors.report_templates(self.user), request, view=self)
        return pages.get_paginated_response([wire.report_template(row) for row in page or ()])

    @extend_schema(
        request={"application/json": ReportTemplateInput, "multipart/form-data": ReportTemplateInput},
        responses={201: ReportTemplateShape},
    )
    def post(self, request: Request) -> Response:
        """Make a template, or put it in the place of the one of the same short name."""
        given = checked(ReportTemplateInput, request)
        content = _content(given.pop("file", None), given.pop("content", None))
        wish = reporttemplates.Given(**{"name": given["key"], **given}, content=content)
        return Response(wire.report_template(reporttemplates.keep(user=self.user, given=wish)), status=201)


class ReportTemplateView(LoggedIn):
    content_negotiation_class = Whatever

    @extend_schema(responses={(200, "application/octet-stream"): bytes})
    def get(self, request: Request, key: str) -> StreamingHttpResponse:
        """The template itself: Markdown or DOCX."""
        kind, content = selectors.report_template(self.user, key)
        return downloads.attachment(content, kind, key)

    @extend_schema(responses={204: None}, parameters=[SHARED])
    def delete(self, request: Request, key: str) -> Response:
        """Delete a template; reports that were made from it stay."""
        reporttemplates.remove(user=self.user, key=key, shared=flag(request, "shared"))
        return Response(status=204)


def _content(file: Any, text: str | None) -> bytes:
    """Raises Problem `invalid`, `too_large`."""
    if (file is None) == (text is None):
        raise Problem("invalid", errors={"content": ["Send `content`, or a `file` (multipart)."]})
    return reporttemplates.read(file.file if file is not None else io.BytesIO((text or "").encode("utf-8", "replace")))
