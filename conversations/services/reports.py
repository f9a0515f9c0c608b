"""Verbs on reports: begin, remove. Their documents are written by reports/making.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib import clock, metrics
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import queue, selectors, wire
from conversations.batches.questions import Question
from conversations.batches.sealing import opened as opened_of_batch
from conversations.models import Batch, Conversation, Report, ReportSource, ReportTemplate
from conversations.reports import documents, placeholders, values
from conversations.reports.sealing import context, key_of, sealed, wrapped
from conversations.services import batches
from conversations.services.validation import clean_title

ROUTE = "POST reports"
# Workers that may give up on a report, one after the other.
ATTEMPTS = 10


@dataclass(frozen=True)
class Wish:
    """What is to be reported: a template by its short name, the conversations or the batch that fill it, as what
    `form`, and which `assistant` answers the questions of the template. `run` shows how far it is."""

    template: str
    form: str
    assistant: str
    conversations: Sequence[UUID] = ()
    batch: UUID | None = None
    title: str | None = None
    run: UUID | None = None


@transaction.atomic
def start(*, user: User, wish: Wish, idempotency_key: str | None = None) -> Report:
    """Have a report made in the background.

    Raises Problem `invalid`, `not_found` (template, conversation, batch), `unsupported`, `quota_exceeded` beyond
    REPORTS_MAX, `idempotency_mismatch`; `conflict` where the report that the key began is gone.
    """
    body = {
        **vars(wish),
        "conversations": list(map(str, wish.conversations)),
        "batch": str(wish.batch),
        "run": str(wish.run),
    }
    once = Once(user, ROUTE, idempotency_key, body) if idempotency_key else None
    before = once.claim() if once else None
    if before:
        return Report.objects.filter(id=before).first() or _gone()
    places = _places(user, wish)
    batch = selectors.batch_for(user, wish.batch) if wish.batch else None
    _check_room(user)
    report = _report(user, wish, places, batch)
    queue.enqueue(queue.REPORT, report=str(report.id))
    if once:
        once.remember(report.id)
    audit.record(
        actor=user.id, action="report.started", target=("report", report.id), conversations=len(places),
        template=report.template, format=report.form,
    )  # fmt: skip
    return report


def _gone() -> Report:
    raise Problem("conflict", "The report that this key began was deleted.")


def _places(user: User, wish: Wish) -> list[Conversation]:
    """Raises Problem `invalid`, `not_found`."""
    if not wish.conversations and wish.batch is None:
        raise Problem("invalid", errors={"conversations": ["Name the conversations, or a batch, to be reported."]})
    if len(wish.conversations) > settings.REPORT_CONVERSATIONS_MAX:
        raise Problem("too_large", f"A report has at most {settings.REPORT_CONVERSATIONS_MAX} conversations.")
    wanted = list(dict.fromkeys(wish.conversations))
    found = values.readable(user.id, wanted)
    if len(found) < len(wanted):
        raise Problem("not_found", "One of the conversations is not there.")
    return found


def _check_room(user: User) -> None:
    # Locked, so that two requests do not both find room for the last one.
    User.objects.select_for_update(no_key=True).get(id=user.id)
    if Report.objects.filter(user=user).count() >= settings.REPORTS_MAX:
        raise Problem("quota_exceeded", f"At most {settings.REPORTS_MAX} reports are kept; delete one first.")


def _report(user: User, wish: Wish, places: list[Conversation], batch: Batch | None) -> Report:
    kind, content = selectors.report_template(user, wish.template)
    if wish.form not in documents.FORMS or (kind == "docx" and wish.form != "docx"):
        raise Problem(
            "invalid", errors={"format": ["A DOCX template makes DOCX." if kind == "docx" else "No such form."]}
        )
    report = Report(
        id=new_id(), user=user, template=wish.template, kind=kind, form=wish.form, batch=batch, run=wish.run
    )
    report.data_key = wrapped(DataKey.generate(), report)
    report.created_at = clock.now()
    report.source = sealed(report, "source", content)
    title = clean_title(wish.title) or _title(places, batch)
    report.title = key_of(report).seal(title, context(report, "title")) if title else None
    report.asked = _asked(user, wish, places, placeholders.questions(documents.text_of(kind, content)))
    report.save(force_insert=True)
    rows = [ReportSource(report=report, conversation=one, place=place) for place, one in enumerate(places)]
    ReportSource.objects.bulk_create(rows)
    return report


def _title(places: list[Conversation], batch: Batch | None) -> str | None:
    if places:
        return wire.title(places[0])
    return opened_of_batch(batch, "title", batch.title) if batch else None


def _asked(user: User, wish: Wish, places: list[Conversation], questions: list[str]) -> Batch | None:
    """The questions of a template, asked with what was said in front, in temporary conversations."""
    if not questions:
        return None
    asked = batches.Wish(assistant=wish.assistant, about=values.told(places) or "—", temporary=True)
    rows = [Question(number, text) for number, text in enumerate(questions, 1)]
    return batches.start(user=user, questions=rows, wish=asked)


def lease() -> Combinable:
    """Until when a worker may write."""
    return Now() + timedelta(seconds=settings.EXPORT_LEASE_SECONDS)


def check_size(size: int) -> None:
    """Raises Problem `too_large`."""
    if size > settings.REPORT_MAX_BYTES:
        raise Problem("too_large", f"A report has at most {settings.REPORT_MAX_BYTES} bytes.")


@transaction.atomic
def remove(*, user: User, report: UUID) -> None:
    """Cancel a report, or delete what it made, and what was asked for it. Raises Problem `not_found`."""
    row = Report.objects.filter(id=report, user=user).first()
    if row is None:
        raise Problem("not_found")
    _delete(row)
    audit.record(actor=user.id, action="report.removed", target=("report", report))


def _delete(report: Report) -> None:
    """Where it asks an assistant, that ends: those conversations begin with what was said."""
    asked = report.asked
    report.delete()
    if asked:
        places = list(asked.rows.exclude(conversation=None).values_list("conversation", flat=True).distinct())
        asked.delete()
        for conversation in places:
            queue.enqueue(queue.ERASE, conversation=str(conversation))


def remove_all(*, user: User) -> None:
    """Of somebody who closes their account, with their templates."""
    Report.objects.filter(user=user).delete()
    ReportTemplate.objects.filter(user=user).delete()


def record_download(*, user: User, report: UUID) -> None:
    audit.record(actor=user.id, action="report.downloaded", target=("report", report))


def erase(conversation: UUID) -> None:
    """Delete every report that is filled from this conversation, with what was asked for it."""
    for report in Report.objects.filter(sources__conversation=conversation).select_related("asked"):
        _delete(report)


def mend() -> None:
    """Enqueue again what no worker has in hand; give up what nobody could finish."""
    idle = Report.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), status__in=Report.ACTIVE)
    for report in idle.filter(fence__lt=ATTEMPTS).exclude(asked__status__in=Batch.ACTIVE):
        queue.enqueue(queue.REPORT, once=True, report=str(report.id))
    given_up = idle.filter(fence__gte=ATTEMPTS).update(status=Report.Status.FAILED, ended_at=Now())
    metrics.reports.labels("failed").inc(given_up)
