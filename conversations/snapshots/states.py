"""The state of a conversation at a seq: the nearest good snapshot, and the events after it.

A snapshot that is damaged, or that the events after it cannot be folded onto, is passed over: the one before
it is taken, in the end the beginning of the log. No lock is held: what is committed does not change.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from chatproject.lib import metrics
from chatproject.lib.database import is_away
from chatproject.lib.prepared import Prepared
from conversations.fold import Fold, Gap
from conversations.fold.state import Json, is_usable
from conversations.models import Event, Snapshot
from conversations.snapshots.checksums import checksum

log = logging.getLogger(__name__)

# Events that are in memory at the same time.
PAGE = 2000


def reader(conversation: UUID) -> Callable[[Iterable[int]], Mapping[int, Event]]:
    """Finds events of the conversation by number."""
    return lambda seqs: {row.seq: row for row in Event.objects.filter(conversation=conversation, seq__in=list(seqs))}


def fold_at(conversation: UUID, seq: int, *, on_page: Callable[[Fold], None] = lambda fold: None) -> Fold:
    """The fold of everything up to `seq`. `on_page` is called after every PAGE events.

    Raises Gap, or whatever a damaged event leads to, where the log alone cannot be folded.
    """
    for snapshot in _snapshots(conversation, seq):
        state = good_state(snapshot)
        if state is not None:
            try:
                return _fold(state, conversation, seq, on_page)
            except Exception as error:
                if is_away(error):
                    raise
                note_bad(snapshot, f"what follows it cannot be applied ({type(error).__name__})")
    return _fold(None, conversation, seq, on_page)


def _fold(state: Json | None, conversation: UUID, seq: int, on_page: Callable[[Fold], None]) -> Fold:
    fold = Fold(state, window=settings.SNAPSHOT_WINDOW, read=reader(conversation))
    advance(fold, conversation, seq, on_page)
    return fold


def state_at(conversation: UUID, seq: int) -> Json:
    """The state at `seq`, as fold/state.py describes it."""
    return fold_at(conversation, seq).state()


def good_state(snapshot: Snapshot) -> Json | None:
    """The state of a snapshot; None for one that is damaged, or of another layout."""
    if snapshot.checksum != checksum(snapshot.conversation_id, snapshot.seq, snapshot.state):
        note_bad(snapshot, "its checksum does not match")
        return None
    state: Json = snapshot.state
    return state if is_usable(state, settings.SNAPSHOT_WINDOW) else None


def note_bad(snapshot: Snapshot, why: str) -> None:
    """Count and log a snapshot that cannot be used."""
    metrics.snapshots_bad.inc()
    log.error("the snapshot %s is passed over: %s", snapshot, why)


def _snapshots(conversation: UUID, seq: int) -> Iterator[Snapshot]:
    """Those up to `seq`, the nearest first, fetched one by one."""
    before = seq + 1
    while row := _nearest.first(conversation=conversation, before=before):
        yield row
        before = row.seq


@Prepared
def _nearest(conversation: UUID, before: int) -> QuerySet[Snapshot, Snapshot]:
    return Snapshot.objects.filter(conversation=conversation, seq__lt=before).order_by("-seq")[:1]


def advance(fold: Fold, conversation: UUID, seq: int, on_page: Callable[[Fold], None] = lambda fold: None) -> None:
    """Apply the events up to `seq`, PAGE by PAGE. Raises Gap where one is missing."""
    rows = Event.objects.filter(conversation=conversation, seq__lte=seq).order_by("seq")
    while fold.seq < seq:
        page = list(rows.filter(seq__gt=fold.seq)[:PAGE])
        if not page:
            raise Gap(f"there is no event after {fold.seq}")
        for event in page:
            fold.apply(event)
        on_page(fold)
