"""The work of a report: the document is written as soon as its questions are answered. A worker that dies is followed
by another one, which begins anew; the one that only slept writes nothing, by its fence."""

import logging
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import F
from django.db.models.functions import Now

from chatproject.lib import failpoints, metrics
from chatproject.lib.errors import Problem
from conversations import leases
from conversations.models import Batch, Report, ReportFile, ReportSource
from conversations.reports import documents, placeholders
from conversations.reports.sealing import opened, sealed, title_of
from conversations.reports.values import Values
from conversations.services import reports

log = logging.getLogger(__name__)

# How often a lease is renewed before it ends, and how often at most: a document that takes longer is given up.
BEFORE_END, RENEWALS = 3, 180


def work(report: str) -> None:
    """Go on with a report. May be killed at any moment, and be called again."""
    claimed = _claim(UUID(report))
    if claimed is None:
        return
    try:
        every = settings.EXPORT_LEASE_SECONDS / BEFORE_END
        with leases.held(
            f"report {report}", lambda: _held(claimed).update(lease_until=reports.lease()), every=every, most=RENEWALS
        ):
            content = _document(claimed)
        _store(claimed, content)
    except Problem as problem:
        _end(claimed, Report.Status.FAILED, error={"code": problem.code.name, "message": str(problem.detail)})
    except Exception:
        _held(claimed).update(lease_until=None)
        raise


def _claim(id_: UUID) -> Report | None:
    """The report, if nobody has it and it waits for no answers."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    asking = Batch.objects.filter(status__in=Batch.ACTIVE)
    rows = Report.objects.filter(free, id=id_, status__in=Report.ACTIVE).exclude(asked__in=asking)
    if not rows.update(status=Report.Status.RUNNING, fence=F("fence") + 1, lease_until=reports.lease()):
        return None
    return Report.objects.select_related("user", "batch", "asked").get(id=id_)


def _document(report: Report) -> bytes:
    _note_sources(report)
    source = opened(report, "source", bytes(report.source))
    text = documents.text_of(report.kind, source)
    values = Values(report).of(text)
    # Before it is written: a template may ask for the same a hundred thousand times.
    reports.check_size(placeholders.size(text, values))
    content = documents.made(report, source, values, title_of(report) or "")
    reports.check_size(len(content))
    return content


def _note_sources(report: Report) -> None:
    """Where a batch is shown, erasing any of its conversations deletes the report, too."""
    if report.batch:
        places = report.batch.rows.exclude(conversation=None).values_list("conversation", flat=True).distinct()
        rows = [ReportSource(report=report, conversation_id=id_) for id_ in places]
        ReportSource.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)


@transaction.atomic
def _store(report: Report, content: bytes) -> None:
    failpoints.hit("report_made")
    if _end(report, Report.Status.COMPLETED, bytes=len(content)):
        ReportFile.objects.create(report=report, data=sealed(report, "file", content))


def _end(report: Report, status: str, **fields: object) -> bool:
    """Whether it was still ours."""
    if not _held(report).update(status=status, ended_at=Now(), lease_until=None, **fields):
        log.info("report %s is not ours any more", report.id)
        return False
    metrics.reports.labels(status).inc()
    return True


def _held(report: Report) -> QuerySet[Report]:
    return Report.objects.filter(id=report.id, fence=report.fence, status=Report.Status.RUNNING)
