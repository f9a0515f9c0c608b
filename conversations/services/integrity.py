"""Verifying conversations, and repairing what their logs can repair."""

import logging
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max

from accounts import audit
from chatproject.lib import metrics
from chatproject.lib.database import is_away
from conversations import background, queue
from conversations.integrity import belongings, repairing
from conversations.integrity.inspecting import inspect
from conversations.integrity.report import Report
from conversations.models import Conversation, Event, PeriodicJob, Snapshot

log = logging.getLogger(__name__)

# What can be made again from the log, which itself never changes.
REPAIRABLE = ("drift", "orphan", "chunks", "file", "snapshot", "checkpoint", "search", "head")


def verify(*, conversation: UUID, repair: bool = False, staff: UUID | None = None) -> Report:
    """What is wrong with a conversation; with `repair`, what is left after everything derived was made right.

    Repairs are audited, for `staff` or for the system. Raises Conversation.DoesNotExist.
    """
    report = inspect(conversation)
    for kind, times in report.kinds.items():
        metrics.integrity_findings.labels(kind).inc(times)
    if repair and _can_repair(report):
        _repair(report, staff)
        return inspect(conversation)
    return report


def _can_repair(report: Report) -> bool:
    """Where the log itself is incomplete, the rows may know more than it: nothing is touched."""
    kinds = report.kinds
    incomplete = kinds["hole"] or kinds["event"] or report.head > report.events
    return not incomplete and any(kinds[kind] for kind in REPAIRABLE)


def _repair(report: Report, staff: UUID | None) -> None:
    """In this order: what is derived, then who did it."""
    conversation, kinds = report.conversation, report.kinds
    with transaction.atomic():
        _mend_head(conversation)
        Snapshot.objects.filter(conversation=conversation, seq__in=_bad_snapshots(report)).delete()
        _mend_checkpoint(conversation)
        repairing.rebuild(conversation)
        belongings.put_right(conversation)
        found = dict(kinds)
        target = ("conversation", conversation)
        audit.record(actor=staff, action="conversation.repaired", target=target, score=report.score, found=found)
    metrics.integrity_repairs.inc()
    log.warning("%s was repaired (score %s): %s", conversation, report.score, found)


def _bad_snapshots(report: Report) -> list[int]:
    return [finding.seq for finding in report.findings if finding.seq is not None]


def _mend_head(conversation: UUID) -> None:
    """A head behind its log follows it."""
    row = Conversation.objects.select_for_update().get(id=conversation)
    last = Event.objects.filter(conversation=row).order_by("-seq").values_list("seq", flat=True).first() or 0
    if row.last_seq < last:
        Conversation.objects.filter(id=row.id).update(last_seq=last)


def _mend_checkpoint(conversation: UUID) -> None:
    """A mark ahead of the log would keep snapshots from being taken: back to the newest that is there."""
    newest = Snapshot.objects.filter(conversation=conversation).aggregate(seq=Max("seq"))["seq"] or 0
    Conversation.objects.filter(id=conversation, checkpoint_seq__gt=F("last_seq")).update(checkpoint_seq=newest)


def verify_some() -> int:
    """Verify the next VERIFY_BATCH conversations, and repair those whose score is below VERIFY_LEAST percent.

    The periodic job; it goes through all of them, by id, and begins again. Gives how many were verified.
    """
    row, _ = PeriodicJob.objects.get_or_create(name=queue.VERIFY)
    after = row.cursor or None
    rows = Conversation.objects.filter(id__gt=after) if after else Conversation.objects.all()
    ids = list(rows.order_by("id").values_list("id", flat=True)[: settings.VERIFY_BATCH])
    for id_ in background.gently(ids):
        _verify_one(id_)
        PeriodicJob.objects.filter(name=queue.VERIFY).update(cursor=str(id_))
    if len(ids) < settings.VERIFY_BATCH:
        PeriodicJob.objects.filter(name=queue.VERIFY).update(cursor="")
    return len(ids)


def _verify_one(conversation: UUID) -> None:
    """One that cannot even be looked at must not hold up the others."""
    try:
        report = verify(conversation=conversation)
        for finding in report.findings:
            log.error("%s: %s", conversation, finding)
        if report.score * 100 < settings.VERIFY_LEAST:
            verify(conversation=conversation, repair=True)
    except Conversation.DoesNotExist:
        return
    except Exception as error:
        if is_away(error):
            raise
        log.error("%s could not be verified: %s", conversation, type(error).__name__)
