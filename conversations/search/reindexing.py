"""Making entries of what has none, or one by rules of before: after an update, a restored backup, an import."""

import logging
from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from chatproject.lib.crypto import CryptoError
from conversations import event_types, keys
from conversations.models import Conversation, Event, SearchEntry
from conversations.search import index
from conversations.search.words import VERSION

log = logging.getLogger(__name__)

BATCH = 500


def reindex_all() -> Iterator[tuple[UUID, int]]:
    """Every conversation that can be read, and how many entries were made for it. May be broken off."""
    last = None
    while batch := _conversations_after(last):
        for last in batch:
            try:
                yield last, reindex(last)
            except CryptoError:
                log.warning("conversation %s cannot be decrypted and is not indexed", last)


def reindex(conversation: UUID) -> int:
    """Make what is missing in one conversation; how much that was. Nothing where its key was destroyed."""
    key = keys.load([conversation]).get(conversation)
    if key is None:
        return 0
    done = 0
    for event in _without_entry(conversation).iterator(BATCH):
        data = event_types.unseal(event.type, event.data, key, conversation, event.id)
        hashes = index.hashed(event.type, data, key)
        if hashes is not None:
            _replace(index.entry(event, hashes))
            done += 1
    return done


def _conversations_after(last: UUID | None) -> list[UUID]:
    rows = Conversation.objects.exclude(data_key="").order_by("id")
    if last:
        rows = rows.filter(id__gt=last)
    return list(rows.values_list("id", flat=True)[:BATCH])


def _without_entry(conversation: UUID) -> QuerySet[Event]:
    current = SearchEntry.objects.filter(conversation=OuterRef("conversation"), seq=OuterRef("seq"), version=VERSION)
    texts = Event.objects.filter(conversation=conversation, type__in=index.SEARCHED)
    return texts.filter(~Exists(current)).order_by("seq")


def _replace(entry: SearchEntry) -> None:
    SearchEntry.objects.bulk_create(
        [entry],
        update_conflicts=True,
        unique_fields=["conversation", "seq"],
        update_fields=["event", "message", "words", "version"],
    )
