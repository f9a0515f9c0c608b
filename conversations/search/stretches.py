"""Where to look: the stretches of the conversations that somebody may read, the newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from accounts.models import User
from chatproject.lib.crypto import DataKey
from conversations import keys
from conversations.models import Conversation
from conversations.search import hashing


@dataclass(frozen=True)
class Stretch:
    """Part `number` of a conversation, see hashing.py."""

    conversation: UUID
    number: int
    key: DataKey


def readable(user: User, conversation: UUID | None = None) -> list[Stretch]:
    """Those of all conversations of `user`, the latest changed first, or of one of them."""
    rows = Conversation.objects.filter(members__user=user, members__user__is_active=True)
    if conversation:
        rows = rows.filter(id=conversation)
    newest = rows.order_by("-updated_at", "-id").values_list("id", "last_seq")
    return _stretches(list(newest[: settings.SEARCH_CONVERSATIONS]))


def of_conversation(conversation: UUID) -> list[Stretch]:
    """For callers that checked membership."""
    return _stretches(list(Conversation.objects.filter(id=conversation).values_list("id", "last_seq")))


def _stretches(heads: Iterable[tuple[UUID, int]]) -> list[Stretch]:
    heads = list(heads)
    found = keys.load(id_ for id_, _ in heads)
    return [
        Stretch(id_, number, found[id_])
        for id_, head in heads
        if id_ in found
        for number in range(hashing.stretch_of(head), -1, -1)
    ]
