"""The work of a batch: what is pending is asked, as much at the same time as may be. Nothing waits here: the end of
each answer settles its row (services/settling.py) and calls this again.

A row is taken, then asked by a cmid of its own, so that whoever is killed in between is followed by another process
that asks the same once more (services/batches.mend), and the log finds the repetition.
"""

from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from chatproject.lib import failpoints, metrics
from chatproject.lib.errors import Problem
from conversations import background, queue
from conversations.batches import places
from conversations.batches.sealing import opened
from conversations.models import Batch, BatchRow, Report, Run
from conversations.services import batches, branches, messages, settling

# What passes by itself: the row is asked later.
PASSING = ("rate_limited", "quota_exceeded", "unavailable", "conversation_busy")


def drive(batch: str) -> None:
    """Ask what can be asked now. May be killed at any moment, and be called again, also at the same time."""
    while rows := _taken(UUID(batch)):
        outcomes = []
        for row in rows:
            background.pause()
            outcomes.append(ask(row))
        if "passing" in outcomes or "failed" not in outcomes:
            return


@transaction.atomic
def _taken(id_: UUID) -> list[BatchRow]:
    """The rows that are to be asked by us. A batch of which none is left is completed; one of somebody who may
    not log in any more is stopped."""
    found = Batch.objects.select_for_update(of=("self",)).select_related("user")
    batch = found.filter(id=id_, status__in=Batch.ACTIVE).first()
    if batch is None:
        return []
    if not batch.user.is_active:
        settling.stop(batch)
        return []
    running = batch.rows.filter(status=BatchRow.Status.RUNNING).exclude(batches.LOST).count()
    to_ask = batch.rows.filter(Q(status=BatchRow.Status.PENDING) | batches.LOST).order_by("number")
    ids = list(to_ask.values_list("id", flat=True)[: max(0, _parallel(batch) - running)])
    if not ids and not running:
        _complete(batch)
    BatchRow.objects.filter(id__in=ids).update(status=BatchRow.Status.RUNNING, asked_at=Now())
    if ids:
        Batch.objects.filter(id=id_).update(status=Batch.Status.RUNNING, started_at=Coalesce("started_at", Now()))
    return list(BatchRow.objects.filter(id__in=ids).order_by("number").select_related("batch__user"))


def _parallel(batch: Batch) -> int:
    """In one conversation, one after the other."""
    return 1 if batch.per_conversation == Batch.Where.ONE else settings.BATCH_PARALLEL


def _complete(batch: Batch) -> None:
    Batch.objects.filter(id=batch.id).update(status=Batch.Status.COMPLETED, ended_at=Now())
    metrics.batches.labels("completed").inc()
    for report in Report.objects.filter(asked=batch).values_list("id", flat=True):
        queue.enqueue(queue.REPORT, report=str(report))


def ask(row: BatchRow) -> str:
    """Ask a row, or ask it again: `asked`, `passing` or `failed`. Where the batch was stopped meanwhile, so is this."""
    try:
        (_ask_again if row.message else _ask_first)(row)
    except Problem as problem:
        return _refused(row, problem)
    failpoints.hit("batch_asked")
    if not settling.unfinished(row.batch_id):
        for run in Run.objects.filter(id__in=BatchRow.objects.filter(id=row.id).values("run"), ended_at=None):
            batches.stop_run(row.batch.user, run)
    return "asked"


def _ask_first(row: BatchRow) -> None:
    batch = row.batch
    question = opened(batch, str(row.number), row.question) or ""
    place = places.of(row, question)
    messages.send(
        user=batch.user,
        conversation=place,
        text=question,
        cmid=_cmid(row),
        assistant=batch.assistant,
        noted=partial(_note, row.id, place),
    ).result()


def _ask_again(row: BatchRow) -> None:
    assert row.message
    assert row.conversation_id
    branches.regenerate(
        user=row.batch.user,
        conversation=row.conversation_id,
        message=row.message,
        assistant=row.batch.assistant,
        cmid=_cmid(row),
        noted=partial(_note, row.id, row.conversation_id),
    ).result()


def _cmid(row: BatchRow) -> str:
    """The same until it was asked once more."""
    return f"batch:{row.id}:{row.attempts}"


def _note(row: UUID, conversation: UUID, data: dict[str, Any]) -> None:
    """Together with the event that asks: from here on, the end of the run settles the row."""
    asked = {"message": data["message"], "question": None} if "message" in data else {}
    BatchRow.objects.filter(id=row).update(
        run=data.get("run"), conversation=conversation, attempts=F("attempts") + 1, **asked
    )


def _refused(row: BatchRow, problem: Problem) -> str:
    if problem.code.name in PASSING:
        settling.again(row)
        return "passing"
    settling.end(row, BatchRow.Status.FAILED, {"code": problem.code.name, "message": str(problem.detail)})
    return "failed"
