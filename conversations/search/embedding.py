"""Making vectors in the background: of what was said since the last time, or of everything for another model.

Conversations are gone through in the order in which they changed, so that a pass looks only at what is new. A
model that is not asked yet is built beside the one that is, and takes its place when it has everything.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from chatproject.lib import clock, metrics
from conversations import background, wire
from conversations.models import Conversation, Embedding, EmbeddingIndex, Message
from conversations.search import embedders, vectors
from conversations.search.embedders import EmbeddingFailed

log = logging.getLogger(__name__)

CONVERSATIONS = 100
# A pass ends after about so long, so that what is in use is brought up to date while another model is built.
PASS_SECONDS = 60
# What changed so short a time ago is looked at once more: its transaction may have ended later than another.
SETTLED = timedelta(seconds=10)
DELETED_TOGETHER = 5000
Place = tuple[UUID, datetime]


def active() -> EmbeddingIndex | None:
    """The index that is asked, once there is one."""
    return EmbeddingIndex.objects.filter(status=EmbeddingIndex.Status.ACTIVE, dimensions__isnull=False).first()


def work() -> None:
    """One pass for every model in use. What fails is tried again by the next one."""
    if not embedders.is_set_up():
        return
    wanted = _wanted()
    in_use = EmbeddingIndex.objects.filter(status=EmbeddingIndex.Status.ACTIVE).exclude(id=wanted.id)
    for index in [*in_use, wanted]:
        try:
            complete = _bring_up_to_date(index)
        except EmbeddingFailed as error:
            metrics.embedding_failures.inc()
            log.warning("embeddings of %s: %s", index.model, error)
            _note(index, error=str(error))
        else:
            if complete and index is wanted:
                _switch_to(wanted)
    _remove_retired()


def begin_again() -> None:
    """Look at all texts anew: what has a vector keeps it, what has none gets one."""
    EmbeddingIndex.objects.update(position=None)


def erase(conversation: UUID) -> None:
    """Delete all vectors of a conversation."""
    Embedding.objects.filter(conversation=conversation).delete()


def _wanted() -> EmbeddingIndex:
    texts = Message.objects.visible().filter(text_event__isnull=False)
    found = EmbeddingIndex.objects.filter(model=settings.EMBEDDING_MODEL).first()
    if found and found.status == EmbeddingIndex.Status.RETIRED:
        # It is wanted again before it was gone: what it still has is kept.
        found.position = None
        _note(found, status=EmbeddingIndex.Status.BUILDING, position=None)
    return found or EmbeddingIndex.objects.create(model=settings.EMBEDDING_MODEL, total=texts.count())


def _bring_up_to_date(index: EmbeddingIndex) -> bool:
    """Go on where the last pass ended; whether everything was gone through within PASS_SECONDS."""
    until, seen = time.monotonic() + PASS_SECONDS, None
    while batch := _changed(index.position, seen):
        for conversation, _ in batch:
            _embed(index, conversation)
            _forget(index, conversation)
        seen = batch[-1]
        _note(index, position=min(seen[1], clock.now() - SETTLED), error="")
        if time.monotonic() > until:
            return False
    return True


def _changed(since: datetime | None, seen: Place | None) -> list[Place]:
    """The next conversations that changed `since` then, after the place that was `seen`."""
    rows = Conversation.objects.exclude(data_key="").filter(updated_at__isnull=False)
    if since:
        rows = rows.filter(updated_at__gte=since)
    if seen:
        rows = rows.filter(Q(updated_at__gt=seen[1]) | Q(updated_at=seen[1], id__gt=seen[0]))
    newest = rows.order_by("updated_at", "id").values_list("id", "updated_at")[:CONVERSATIONS]
    return [(id_, at) for id_, at in newest if at]


def _embed(index: EmbeddingIndex, conversation: UUID) -> None:
    """Make the vectors that are missing in one conversation."""
    rows = _missing(index, conversation).iterator(settings.EMBEDDING_BATCH)
    while batch := list(islice(rows, settings.EMBEDDING_BATCH)):
        background.pause()
        texts = [wire.message_text(row)[: settings.EMBEDDING_TEXT_LENGTH] for row in batch]
        spoken = [(row, text) for row, text in zip(batch, texts, strict=True) if text.strip()]
        if spoken:
            found = embedders.get(index.model).embed([text for _, text in spoken])
            _store(index, [row for row, _ in spoken], found)


def _missing(index: EmbeddingIndex, conversation: UUID) -> QuerySet[Message]:
    there = Embedding.objects.filter(index=index, event=OuterRef("text_event"))
    rows = Message.objects.visible().filter(conversation=conversation, text__isnull=False)
    return rows.filter(~Exists(there)).order_by("seq")


def _store(index: EmbeddingIndex, rows: Sequence[Message], found: Sequence[Sequence[float]]) -> None:
    """Keep vectors; not of a conversation whose key was destroyed meanwhile."""
    if index.dimensions is None:
        index.dimensions = len(found[0])
        _note(index, dimensions=index.dimensions)
        vectors.make_index(index)
    if len(found[0]) != index.dimensions:
        raise EmbeddingFailed(f"The model gave {len(found[0])} dimensions and had {index.dimensions}.")
    made = [
        Embedding(index=index, conversation_id=row.conversation_id, event=row.text_event, message=row.id, vector=vector)
        for row, vector in zip(rows, found, strict=True)
        if row.text_event
    ]
    with transaction.atomic():
        # The row's lock: erasing comes before, and there is no key, or after, and finds these vectors.
        alive = Conversation.objects.select_for_update().filter(id=rows[0].conversation_id).exclude(data_key="")
        if alive.exists():
            Embedding.objects.bulk_create(made, ignore_conflicts=True)
            _note(index, done=F("done") + len(made))


def _forget(index: EmbeddingIndex, conversation: UUID) -> None:
    """Delete the vectors of texts that are not shown any more."""
    shown = Message.objects.visible().filter(id=OuterRef("message"), text_event=OuterRef("event"))
    stale = Embedding.objects.filter(index=index, conversation=conversation).filter(~Exists(shown))
    gone, _ = stale.delete()
    if gone:
        _note(index, done=F("done") - gone)


@transaction.atomic
def _switch_to(index: EmbeddingIndex) -> None:
    """From now on this index is asked, as soon as it has a vector; the others are not needed any more."""
    if index.dimensions is not None:
        EmbeddingIndex.objects.exclude(id=index.id).update(status=EmbeddingIndex.Status.RETIRED)
        _note(index, status=EmbeddingIndex.Status.ACTIVE)


def _remove_retired() -> None:
    """Delete what is not asked any more, piece by piece."""
    for index in EmbeddingIndex.objects.filter(status=EmbeddingIndex.Status.RETIRED):
        rows = Embedding.objects.filter(index=index)
        while some := list(rows.values_list("id", flat=True)[:DELETED_TOGETHER]):
            background.pause()
            Embedding.objects.filter(id__in=some).delete()
        vectors.drop(index)


def _note(index: EmbeddingIndex, **changes: object) -> None:
    EmbeddingIndex.objects.filter(id=index.id).update(updated_at=Now(), **changes)
