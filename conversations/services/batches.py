"""Verbs on batches: begin, stop, go on, remove. Their questions are asked by batches/driving.py."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib import clock
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import keys, queue, selectors
from conversations.batches.questions import Question, cleaned
from conversations.batches.sealing import context, key_of
from conversations.models import Batch, BatchRow, Run
from conversations.permissions import Permission, require
from conversations.services import runs, settling
from conversations.services.validation import clean_assistant, clean_title

ROUTE = "POST batches"
# A row that was taken to be asked, and was not after so long, is asked by somebody else.
LOST_AFTER = timedelta(seconds=20)
# Rows that one statement inserts.
AT_ONCE = 1000
LOST = Q(status=BatchRow.Status.RUNNING, run=None, asked_at__lt=Now() - LOST_AFTER)


@dataclass(frozen=True)
class Wish:
    """How questions are to be asked: by `assistant`, all in one conversation (`conversation`, or a new one) or each
    in its own. `about` is said in front of each; what is `temporary` is erased after TEMPORARY_HOURS. `run` shows
    how far it is."""

    assistant: str
    per_conversation: str | None = None
    title: str | None = None
    conversation: UUID | None = None
    about: str | None = None
    temporary: bool = False
    run: UUID | None = None


@transaction.atomic
def start(*, user: User, questions: Sequence[Question], wish: Wish, idempotency_key: str | None = None) -> Batch:
    """Have questions asked in the background, one after the other, a few at the same time.

    Raises Problem `invalid` (with the row), `too_large`, `not_found`, `forbidden` (of `conversation`),
    `quota_exceeded` beyond BATCHES_MAX, `idempotency_mismatch`; `conflict` where the batch that the key began is gone.
    """
    body = [
        [one.text for one in questions],
        {**vars(wish), "conversation": str(wish.conversation), "run": str(wish.run)},
    ]
    once = Once(user, ROUTE, idempotency_key, body) if idempotency_key else None
    before = once.claim() if once else None
    if before:
        return Batch.objects.filter(id=before).first() or _gone()
    texts = cleaned(questions)
    batch = _batch(user, wish, len(texts))
    _check_room(user)
    batch.save(force_insert=True)
    _insert(batch, texts)
    queue.enqueue(queue.BATCH, batch=str(batch.id))
    if once:
        once.remember(batch.id)
    audit.record(actor=user.id, action="batch.started", target=("batch", batch.id), questions=batch.total)
    return batch


def _gone() -> Batch:
    raise Problem("conflict", "The batch that this key began was deleted.")


def _batch(user: User, wish: Wish, total: int) -> Batch:
    key = DataKey.generate()
    batch = Batch(id=new_id(), user=user, total=total, created_at=clock.now(), temporary=wish.temporary, run=wish.run)
    batch.assistant = clean_assistant(wish.assistant) or _nobody()
    batch.per_conversation, batch.conversation_id = _where(user, wish)
    batch.data_key = keys.keyring().wrap(key, batch.id.hex)
    title = clean_title(wish.title)
    batch.title = key.seal(title, context(batch, "title")) if title else None
    batch.about = key.seal(wish.about, context(batch, "about")) if wish.about else None
    return batch


def _nobody() -> str:
    raise Problem("invalid", errors={"assistant": ["Name an assistant."]})


def _where(user: User, wish: Wish) -> tuple[str, UUID | None]:
    """Raises Problem `invalid`, `not_found`, `forbidden`."""
    if wish.conversation is None:
        return wish.per_conversation or Batch.Where.EACH, None
    if wish.per_conversation == Batch.Where.EACH:
        raise Problem("invalid", errors={"per_conversation": ["In a conversation, all is asked in that one."]})
    require(selectors.role_of(user.id, wish.conversation), Permission.SEND)
    return Batch.Where.ONE, wish.conversation


def _check_room(user: User) -> None:
    # Locked, so that two requests do not both find room for the last one.
    User.objects.select_for_update(no_key=True).get(id=user.id)
    if Batch.objects.filter(user=user, asked_for=None).count() >= settings.BATCHES_MAX:
        raise Problem("quota_exceeded", f"At most {settings.BATCHES_MAX} batches are kept; delete one first.")


def _insert(batch: Batch, texts: Sequence[str]) -> None:
    key = key_of(batch)
    rows = [BatchRow(id=new_id(), batch=batch, number=number) for number, _ in enumerate(texts, 1)]
    for row, text in zip(rows, texts, strict=True):
        row.question = key.seal(text, context(batch, str(row.number)))
    BatchRow.objects.bulk_create(rows, batch_size=AT_ONCE)


def stop(*, user: User, batch: UUID) -> Batch:
    """Ask nothing more, and stop what is being answered; what is answered stays. Again it changes nothing.

    Raises Problem `not_found`.
    """
    with transaction.atomic():
        row = _locked(user, batch)
        if row.is_active:
            settling.stop(row)
            audit.record(actor=user.id, action="batch.stopped", target=("batch", batch))
    _stop_running(row)
    return row


def _stop_running(batch: Batch) -> None:
    rows = batch.rows.filter(status=BatchRow.Status.RUNNING)
    rows.filter(LOST).update(status=BatchRow.Status.STOPPED, ended_at=Now())
    for run in Run.objects.filter(id__in=rows.exclude(run=None).values("run"), ended_at=None):
        stop_run(batch.user, run)


def stop_run(user: User, run: Run) -> None:
    """Stop the answer to one row, if it is still being given and `user` may."""
    with suppress(Problem):
        runs.stop(user=user, run=run).result()


@transaction.atomic
def resume(*, user: User, batch: UUID) -> Batch:
    """Go on with a batch that was stopped, and ask once more what failed. Raises Problem `not_found`, `conflict`."""
    row = _locked(user, batch)
    if row.is_active:
        raise Problem("conflict", "This batch is running.")
    left = row.rows.filter(status__in=(BatchRow.Status.STOPPED, BatchRow.Status.FAILED))
    if not left.update(status=BatchRow.Status.PENDING, run=None, ended_at=None, error=None):
        raise Problem("conflict", "Every question of this batch was answered.")
    row.status, row.started_at, row.ended_at = Batch.Status.QUEUED, None, None
    row.save(update_fields=["status", "started_at", "ended_at"])
    queue.enqueue(queue.BATCH, batch=str(batch))
    audit.record(actor=user.id, action="batch.resumed", target=("batch", batch))
    return row


def remove_all(*, user: User) -> None:
    """Of somebody who closes their account."""
    for batch in Batch.objects.filter(user=user).values_list("id", flat=True):
        stop(user=user, batch=batch).delete()


def remove(*, user: User, batch: UUID) -> None:
    """Stop a batch and delete it; its conversations stay. Raises Problem `not_found`."""
    stop(user=user, batch=batch).delete()
    audit.record(actor=user.id, action="batch.removed", target=("batch", batch))


def _locked(user: User, batch: UUID) -> Batch:
    row = Batch.objects.select_for_update().filter(id=batch, user=user).first()
    if row is None:
        raise Problem("not_found")
    return row


def record_download(*, user: User, batch: UUID, form: str) -> None:
    """Leave the trace that `user` took the answers away as a file."""
    audit.record(actor=user.id, action="batch.downloaded", target=("batch", batch), format=form)


def erase(conversation: UUID) -> None:
    """Nothing is asked in an erased conversation, and nothing is left of what was to be asked."""
    rows = BatchRow.objects.filter(Q(conversation=conversation) | Q(batch__conversation=conversation))
    rows.update(question=None, error=None)
    left = rows.filter(status__in=(BatchRow.Status.PENDING, BatchRow.Status.RUNNING))
    left.update(status=BatchRow.Status.STOPPED, ended_at=Now())


def mend() -> None:
    """Go on with batches that wait, or whose worker is gone; stop what a stop did not reach."""
    for id_ in Batch.objects.filter(status__in=Batch.ACTIVE).values_list("id", flat=True):
        queue.enqueue(queue.BATCH, once=True, batch=str(id_))
    running = BatchRow.objects.filter(status=BatchRow.Status.RUNNING, batch__status=Batch.Status.STOPPED)
    for batch in Batch.objects.filter(id__in=running.values("batch")).select_related("user"):
        _stop_running(batch)
