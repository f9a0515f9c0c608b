"""The pages of batches: begin one, watch it, stop it, take the answers along."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import ngettext

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import pages, selectors, wire
from conversations.assistants import registry
from conversations.assistants.defaults import default_assistant
from conversations.batches import reading
from conversations.batches.questions import Question
from conversations.forms import BatchForm
from conversations.models import Batch, BatchRow
from conversations.services import batches
from conversations.views import Page

# Batches that are listed, and rows that are shown of one.
LISTED = 50
SHOWN = 100
# Seconds below which a time is told in seconds.
SOON = 120
FORMS = (("xlsx", "XLSX"), ("csv", "CSV"), ("jsonl", "JSONL"), ("md", "Markdown"))


class BatchesPage(Page):
    """The list, and a form for a new one."""

    limits = {"POST": "upload"}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page({"assistant": default_assistant()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form: BatchForm = self.filled(BatchForm)
        try:
            row = batches.start(user=self.user, questions=self._asked(form), wish=form.wish, idempotency_key=form.key)
        except Problem as problem:
            return self._page(form.cleaned_data, problem)
        return redirect("batch", row.id)

    def _asked(self, form: BatchForm) -> list[Question]:
        """Raises Problem `invalid`, `too_large`, `unsupported`."""
        file = self.request.FILES.get("file")
        if file is not None and file.file is not None:
            return reading.questions(file.file, file.name or "")
        return list(reading.lines(form.cleaned_data["questions"]))

    def _page(self, given: dict[str, Any], problem: Problem | None = None) -> HttpResponse:
        context = {
            "list": pages.conversation_list(self.user),
            "batches": listed(self.request),
            "assistants": registry.available(),
            "where": Batch.Where.choices,
            "most": settings.BATCH_MAX_ROWS,
            "given": given,
            "once": new_id(),
            "problem": problem,
        }
        return self.render("batches", context, problem.code.status if problem else 200)


class BatchListPage(Page):
    """The list alone, to bring an open page up to date."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render("_batches", {"batches": listed(request)})


class BatchPage(Page):
    """One batch with its progress, its rows, and its answers to take along."""

    template = "batch"

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        row = selectors.batch_for(self.user, id)
        found = [_row(one) for one in selectors.answered_rows(row, limit=SHOWN)]
        context = {"batch": _batch(row), "rows": found, "forms": FORMS, "more": row.total > SHOWN, "shown": SHOWN}
        return self.render(self.template, {**context, "list": pages.conversation_list(self.user)})


class BatchProgressPage(BatchPage):
    """The same without what is around it, to bring an open page up to date."""

    template = "_batch"


class BatchStopPage(Page):
    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        batches.stop(user=self.user, batch=id)
        return redirect("batch", id)


class BatchResumePage(Page):
    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        batches.resume(user=self.user, batch=id)
        return redirect("batch", id)


class BatchRemovePage(Page):
    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        batches.remove(user=self.user, batch=id)
        return redirect("batches")


def listed(request: HttpRequest) -> list[dict[str, Any]]:
    """The latest batches of who asks, as the page shows them."""
    assert request.user.is_authenticated
    return [_batch(row) for row in selectors.batches(request.user).order_by("-created_at")[:LISTED]]


def _batch(row: Batch) -> dict[str, Any]:
    told = wire.batch(row)
    return {
        **told,
        "is_active": row.is_active,
        "ended": told["total"] - told["left"],
        "state": row.get_status_display(),
        "day": date_format(localtime(row.created_at), "DATETIME_FORMAT"),
        "time_left": _time(told["seconds_left"]),
    }


def _row(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "state": BatchRow.Status(told["status"]).label}


def _time(seconds: int | None) -> str:
    """A time that is left, roughly."""
    if seconds is None:
        return ""
    if seconds < SOON:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
