"""The entries: one for each text of the log, written in the transaction of its event."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from chatproject.lib import rows
from chatproject.lib.crypto import DataKey
from conversations.models import Event, SearchEntry
from conversations.search import hashing
from conversations.search.words import VERSION, terms

# The types of events whose text can be found, and the field that it is in.
SEARCHED = {
    "conversation:new": "title",
    "conversation:update": "title",
    "message:new": "text",
    "message:edit": "text",
    "run:end": "text",
}


def hashed(type_: str, data: Mapping[str, Any], key: DataKey) -> list[int] | None:
    """The hashes of the words of an event's text, `data` in clear; None for events without one.

    Of a text with very many different words, the first SEARCH_WORDS_MAX.
    """
    text = data.get(SEARCHED.get(type_, ""))
    if not text:
        return None
    return hashing.hashed(key, terms(text)[: settings.SEARCH_WORDS_MAX])


def entry(event: Event, hashes: Iterable[int]) -> SearchEntry:
    """The entry of an event, now that it has a number."""
    return rows.new(
        SearchEntry,
        conversation_id=event.conversation_id,
        seq=event.seq,
        event=event.id,
        message=event.data.get("message"),
        words=hashing.placed(hashes, event.conversation_id, hashing.stretch_of(event.seq)),
        version=VERSION,
    )
