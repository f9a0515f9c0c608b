"""Taking snapshots: of what changed, every few minutes, and on demand."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib import clock, metrics, rows
from chatproject.lib.database import is_away
from chatproject.lib.errors import Problem
from conversations import background
from conversations.fold import Fold
from conversations.models import Conversation, Snapshot
from conversations.snapshots import states
from conversations.snapshots.checksums import checksum

log = logging.getLogger(__name__)

PERIODIC, MANUAL = Snapshot.Reason.PERIODIC, Snapshot.Reason.MANUAL
BATCH = 200
LOCK = "SELECT erased_at IS NOT NULL, checkpoint_seq FROM conversations_conversation WHERE id = %s FOR NO KEY UPDATE"
CHECKED = "UPDATE conversations_conversation SET checkpoint_seq = %s WHERE id = %s"
# Beyond the newest so many, and of periodic ones but one for every so many events.
PRUNE = """
DELETE FROM conversations_snapshot WHERE conversation_id = %s AND seq IN (
    SELECT seq FROM (
        SELECT seq, row_number() OVER (ORDER BY seq DESC) AS place,
               row_number() OVER (PARTITION BY seq / %s ORDER BY seq DESC) AS spaced
        FROM conversations_snapshot WHERE conversation_id = %s AND reason = %s
    ) AS stored WHERE place > %s AND (spaced > 1 OR NOT %s)
)
"""


def take(*, conversation: UUID, reason: str = MANUAL) -> Snapshot:
    """The snapshot of the head, stored if it is not there yet; one on demand stays one.

    It costs what came after the last one. Raises Problem `not_found`, `conversation_closed` (erased).
    """
    return Snapshot.objects.get(conversation=conversation, seq=_take(conversation, reason))


@transaction.atomic
def take_for(*, user: User, conversation: UUID, idempotency_key: str | None = None) -> Snapshot:
    """`take`, as `user` asks for it; with a key of before, the one that it took.

    Raises Problem `idempotency_mismatch` too; `conflict` where that one is gone again.
    """
    if idempotency_key is None:
        return take(conversation=conversation)
    once = Once(user, "POST snapshots", idempotency_key, str(conversation))
    before = once.claim()
    if before:
        return Snapshot.objects.filter(conversation=conversation, seq=before.int).first() or _gone()
    taken = take(conversation=conversation)
    once.remember(UUID(int=taken.seq))  # a snapshot has no id but its number
    return taken


def _take(conversation: UUID, reason: str) -> int:
    row = Conversation.objects.filter(id=conversation).first()
    if row is None:
        raise Problem("not_found")
    if row.erased:
        raise Problem("conversation_closed")
    on_the_way: list[Snapshot] = []
    fold = states.fold_at(
        conversation, row.last_seq, on_page=lambda fold: on_the_way.append(_snapshot(conversation, fold, PERIODIC))
    )
    taken = _snapshot(conversation, fold, reason)
    _store(conversation, [one for one in on_the_way if one.seq < taken.seq], taken)
    return taken.seq


def _gone() -> Snapshot:
    raise Problem("conflict", "The snapshot that this key took was deleted.")


def checkpoint() -> int:
    """Take a snapshot of every conversation that changed since its last one, the longest waiting first.

    The periodic job; gives how many were taken. What changes once more meanwhile is for the next one.
    """
    # Only those that came `again` are left out by the query: of `seen` there may be very many.
    done, seen, again = 0, set[UUID](), set[UUID]()
    while ids := _changed(again):
        again |= seen.intersection(ids)
        for id_ in background.gently([id_ for id_ in ids if id_ not in seen]):
            done += _checkpoint_one(id_)
            seen.add(id_)
    return done


def _changed(but: set[UUID]) -> list[UUID]:
    """Found by an index that holds nothing else."""
    rows = Conversation.objects.filter(last_seq__gt=F("checkpoint_seq")).exclude(id__in=but)
    return list(rows.order_by("updated_at").values_list("id", flat=True)[:BATCH])


def _checkpoint_one(conversation: UUID) -> bool:
    """Whether it is done with; one that fails must not hold up the others."""
    try:
        _take(conversation, PERIODIC)
    except Problem:
        Conversation.objects.filter(id=conversation).update(checkpoint_seq=F("last_seq"))
    except Exception as error:
        if is_away(error):
            raise
        log.error("no snapshot of %s: %s", conversation, type(error).__name__)
        return False
    return True


def _snapshot(conversation: UUID, fold: Fold, reason: str) -> Snapshot:
    state = fold.state()
    return Snapshot(
        conversation_id=conversation,
        seq=fold.seq,
        state=state,
        checksum=checksum(conversation, fold.seq, state),
        reason=reason,
        created_at=clock.now(),
    )


@transaction.atomic
def _store(conversation: UUID, on_the_way: Sequence[Snapshot], taken: Snapshot) -> None:
    """With the conversation's row locked for a moment, so that nothing of an erased one is stored."""
    [(erased, checkpoint_seq)] = rows.execute(LOCK, conversation)
    if erased:
        raise Problem("conversation_closed")
    Snapshot.objects.bulk_create([*on_the_way, taken], ignore_conflicts=True)
    if taken.reason == MANUAL:
        Snapshot.objects.filter(conversation=conversation, seq=taken.seq).update(reason=MANUAL)
    if checkpoint_seq < taken.seq:
        rows.execute(CHECKED, taken.seq, conversation)
    _prune(conversation, PERIODIC, settings.SNAPSHOTS_KEPT)
    _prune(conversation, MANUAL, settings.SNAPSHOTS_KEPT_ON_DEMAND)
    metrics.snapshots.labels(taken.reason).inc()


def _prune(conversation: UUID, reason: str, kept: int) -> None:
    """Keep the newest ones, and of periodic ones before them one for every SNAPSHOT_SPACING events."""
    of = conversation, settings.SNAPSHOT_SPACING, conversation, reason
    rows.execute(PRUNE, *of, kept, reason == PERIODIC)
