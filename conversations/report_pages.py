"""The pages of reports: have one made, take it along, share it by a link; and their templates."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import pages, selectors, wire
from conversations.assistants import registry
from conversations.assistants.defaults import default_assistant
from conversations.forms import ReportForm, ReportTemplateForm, ShareForm
from conversations.models import Report
from conversations.reports.builtin import BUILTIN
from conversations.services import reports, reporttemplates, shares
from conversations.views import Page

# Reports, conversations and batches that are listed.
LISTED = 50


class ReportsPage(Page):
    """The list, a form for a new one, and the templates."""

    limits = {"POST": "export"}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.listing({"assistant": default_assistant(), "conversations": request.GET.getlist("conversation")})

    def post(self, request: HttpRequest) -> HttpResponse:
        form: ReportForm = self.filled(ReportForm)
        try:
            row = reports.start(user=self.user, wish=form.wish, idempotency_key=form.cleaned_data["once"] or None)
        except Problem as problem:
            return self.listing(form.given, problem)
        return redirect("report", row.id)

    def listing(self, given: dict[str, Any], problem: Problem | None = None) -> HttpResponse:
        """The page, with what was filled in."""
        own = selectors.report_templates(self.user)
        context = {
            "list": pages.conversation_list(self.user),
            "batches": [wire.batch(row) for row in selectors.batches(self.user).order_by("-created_at")[:LISTED]],
            "reports": listed(self.request),
            "templates": own,
            "builtin": [key for key in BUILTIN if not own.filter(key=key).exists()],
            "formats": Report.Form.choices,
            "assistants": registry.available(),
            "given": given,
            "once": new_id(),
            "problem": problem,
        }
        return self.render("reports", context, problem.code.status if problem else 200)


class ReportListPage(Page):
    """The list alone, to bring an open page up to date."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render("_reports", {"reports": listed(request)})


class ReportPage(Page):
    """One report: how far it is, its file, and the links to it."""

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        return self.shown(id)

    def shown(self, id: UUID, link: str = "", problem: Problem | None = None) -> HttpResponse:
        """The page; `link` is the one that was just made."""
        row = selectors.report_for(self.user, id)
        links: QuerySet[Any] = selectors.shares_of_report(row.id).order_by("-created_at")
        context = {"report": _report(row), "links": links, "link": link, "problem": problem, "once": new_id()}
        status = problem.code.status if problem else 200
        return self.render("report", {**context, "list": pages.conversation_list(self.user)}, status)


class ReportProgressPage(Page):
    """How far it is alone, to bring an open page up to date."""

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        return self.render("_report", {"report": _report(selectors.report_for(self.user, id))})


class ReportSharePage(ReportPage):
    """Makes a link, and shows it this once."""

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        selectors.report_for(self.user, id)
        return redirect("report", id)

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        report = selectors.report_for(self.user, id)
        form: ShareForm = self.filled(ShareForm)
        try:
            _, token = shares.create_of_report(user=self.user, report=report.id, wish=form.wish)
        except Problem as problem:
            return self.shown(id, problem=problem)
        return self.shown(id, request.build_absolute_uri(reverse("shared", args=[token])))


class ReportRevokePage(Page):
    def post(self, request: HttpRequest, id: UUID, share: UUID) -> HttpResponse:
        shares.revoke_of_report(user=self.user, report=selectors.report_for(self.user, id).id, share=share)
        return redirect("report", id)


class ReportRemovePage(Page):
    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        reports.remove(user=self.user, report=id)
        return redirect("reports")


class ReportTemplatesPage(ReportsPage):
    """Takes a template: Markdown or DOCX."""

    limits = {"POST": "upload"}

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("reports")

    def post(self, request: HttpRequest) -> HttpResponse:
        form: ReportTemplateForm = self.filled(ReportTemplateForm)
        file = request.FILES.get("file")
        try:
            if file is None or file.file is None:
                raise Problem("invalid", "Choose a file first.")
            reporttemplates.keep(user=self.user, given=form.given(reporttemplates.read(file.file)))
        except Problem as problem:
            return self.listing({}, problem)
        return redirect("reports")


class ReportTemplateRemovePage(Page):
    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        reporttemplates.remove(user=self.user, key=slug)
        return redirect("reports")


def listed(request: HttpRequest) -> list[dict[str, Any]]:
    """The latest reports of who asks, as the page shows them."""
    assert request.user.is_authenticated
    return [_report(row) for row in selectors.reports(request.user).order_by("-created_at")[:LISTED]]


def _report(row: Report) -> dict[str, Any]:
    return {**wire.report(row), "is_active": row.is_active, "state": row.get_status_display(), "made": row.created_at}
