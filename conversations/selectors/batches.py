"""Batches for those who asked for them, with what was answered as it stands in the conversations."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.clock import rfc3339
from chatproject.lib.errors import Problem
from conversations import wire
from conversations.batches.sealing import opened
from conversations.models import Batch, BatchRow, Member, Message, Run
from conversations.models.batch import BatchRows

Json = dict[str, Any]

PAGE = 200


def batches(user: User) -> BatchRows:
    """The batches of a user, with the numbers of their rows; not what is asked for a report."""
    return Batch.objects.filter(user=user, asked_for=None).counted()


def batch_for(user: User, id_: UUID) -> Batch:
    """One of them. Raises Problem `not_found`."""
    found = batches(user).filter(id=id_).first()
    if found is None:
        raise Problem("not_found")
    return found


def answered_rows(batch: Batch, *, after: int = 0, limit: int | None = None) -> Iterator[Json]:
    """The rows behind a number in order, as they are at this moment; read in pages, because there may be many.

    What is said in a conversation that the user of the batch may not read any more is left out.
    """
    rows = BatchRow.objects.filter(batch=batch).order_by("number")
    last = after + limit if limit else batch.total
    while page := list(rows.filter(number__gt=after, number__lte=last)[:PAGE]):
        yield from _told(batch, page)
        after = page[-1].number


def _told(batch: Batch, rows: list[BatchRow]) -> Iterator[Json]:
    readable = _readable(batch.user_id, rows)
    runs = Run.objects.filter(conversation__in=readable).in_bulk([row.run for row in rows if row.run])
    said = _texts(readable, [row.message for row in rows], [run.message for run in runs.values()])
    for row in rows:
        run = runs.get(row.run) if row.run else None
        asked = said.get(row.message) if row.message else opened(batch, str(row.number), row.question)
        yield {
            "number": row.number,
            "status": row.status,
            "question": asked or "",
            "answer": (said.get(run.message) if run else "") or "",
            "error": row.error or (run and wire.run_error(run)),
            "conversation": str(row.conversation_id) if row.conversation_id else None,
            "message": str(row.message) if row.message else None,
            "run": str(row.run) if row.run else None,
            "assistant": batch.assistant,
            "attempts": row.attempts,
            "usage": run.usage if run else None,
            "ended_at": rfc3339(row.ended_at),
        }


def _readable(user: UUID, rows: list[BatchRow]) -> list[UUID]:
    """In which of their conversations the user is."""
    places = [row.conversation_id for row in rows]
    return list(Member.objects.filter(user=user, conversation__in=places).values_list("conversation_id", flat=True))


def _texts(conversations: list[UUID], *ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    rows = Message.objects.filter(conversation__in=conversations, id__in=[id_ for some in ids for id_ in some if id_])
    return {row.id: wire.message_text(row) for row in rows}
