"""A worker inside the test: it does the jobs that batches leave in the queue, one after the other."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.batches import driving
from conversations.batches.questions import Question
from conversations.models import Batch, BatchRow, Run
from conversations.services import batches
from conversations.services.batches import Wish


def begin(user: User, texts: Sequence[str], assistant: str = "openai", **wish: Any) -> Batch:
    """A batch of these questions; nothing is asked yet."""
    questions = [Question(row, text) for row, text in enumerate(texts, 1)]
    return batches.start(user=user, questions=questions, wish=Wish(assistant=assistant, **wish))


async def work(batch: Batch) -> Batch:
    """Ask, and have the answers given, until nothing is left to be done."""
    while True:
        await in_thread(driving.drive, str(batch.id))
        waiting = await in_thread(queued, batch)
        if not waiting:
            return await Batch.objects.aget(id=batch.id)
        for conversation in waiting:
            await runner.take_turn(conversation)


def queued(batch: Batch) -> list[UUID]:
    """The conversations in which an answer is to be given."""
    runs = batch.rows.exclude(run=None).values("run")
    return list(Run.objects.filter(id__in=runs, status=Run.Status.QUEUED).values_list("conversation_id", flat=True))


def statuses(batch: Batch) -> list[str]:
    return list(batch.rows.order_by("number").values_list("status", flat=True))


def rows(batch: Batch) -> list[BatchRow]:
    return list(batch.rows.order_by("number"))


def asked_texts(requests: Iterable[Any]) -> list[str]:
    return sorted(request.text for request in requests)


def place(row: BatchRow) -> UUID:
    """The conversation in which it was asked."""
    assert row.conversation_id
    return row.conversation_id


def latest_run(row: BatchRow) -> Run:
    assert row.run
    return Run.objects.get(id=row.run)
