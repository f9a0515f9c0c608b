"""Where to look: the stretches of the conversations that somebody may read, the newest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from accounts.models import User
from chatproject.lib.crypto import DataKey
from conversations import keys
from conversations.models import Conversation
from conversations.search import hashing


@dataclass(frozen=True)
class Stretches:
    """Neighbouring parts of a conversation (see hashing.py) that are gone through with one look into the index."""

    conversation: UUID
    numbers: range
    key: DataKey


def readable(user: User, conversation: UUID | None = None) -> list[Stretches]:
    """Those of all conversations of `user`, the latest changed first, or of one of them."""
    rows = Conversation.objects.filter(members__user=user, members__user__is_active=True)
    if conversation:
        rows = rows.filter(id=conversation)
    newest = rows.order_by("-updated_at", "-id").values_list("id", "last_seq")
    return _stretches(list(newest[: settings.SEARCH_CONVERSATIONS]))


def of_conversation(conversation: UUID) -> list[Stretches]:
    """For callers that checked membership."""
    return _stretches(list(Conversation.objects.filter(id=conversation).values_list("id", "last_seq")))


def _stretches(heads: Iterable[tuple[UUID, int]]) -> list[Stretches]:
    heads = list(heads)
    found = keys.load(id_ for id_, _ in heads)
    return [
        Stretches(id_, numbers, found[id_])
        for id_, head in heads
        if id_ in found
        for numbers in _together(hashing.stretch_of(head))
    ]


def _together(newest: int) -> Iterator[range]:
    """All numbers from `newest` to 0: the newest alone, then twice as many each time. So what is everywhere is found
    in the first, and what is rare with few looks, however long a conversation is."""
    count = 1
    while newest >= 0:
        yield range(newest, max(-1, newest - count), -1)
        newest, count = newest - count, 2 * count
