"""Searching, for every door: what a user may read, or a conversation whose membership was checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import User
from conversations import wire
from conversations.models import Conversation, Message
from conversations.search import candidates, stretches
from conversations.search.query import Query
from conversations.search.ranking import Text, fits, rank
from conversations.search.snippets import Snippet, snippet


@dataclass(frozen=True)
class Hit:
    """A message that was found; the higher the `score`, the better it fits."""

    row: Message
    text: str
    score: float

    def snippet(self, query: Query) -> Snippet:
        return snippet(self.text, frozenset(query.terms), settings.SEARCH_SNIPPET_LENGTH)

    def wire(self, query: Query) -> dict[str, Any]:
        """The public form."""
        shown = self.snippet(query)
        return {
            "conversation": str(self.row.conversation_id),
            "message": str(self.row.id),
            "seq": self.row.seq,
            "score": round(self.score, 4),
            "snippet": shown.text,
            "highlights": [list(span) for span in shown.highlights],
        }


def search(user: User, query: Query, *, conversation: UUID | None = None, before: UUID | None = None) -> list[Hit]:
    """All that fits among what `user` may read (or of it in one conversation), the best first.

    Of more than SEARCH_CANDIDATES messages that fit, the newest. `before`: only texts up to this event.
    """
    places = stretches.readable(user, conversation)
    return _ranked(query, candidates.find(query, places, settings.SEARCH_CANDIDATES, user=user, before=before))


def conversations(user: User, query: Query) -> set[UUID]:
    """The conversations of `user` in which one message, or the title, has all that is looked for."""
    found = candidates.conversations(query, stretches.readable(user), user)
    if not (query.phrases or query.without_phrases):
        return found
    said = {hit.row.conversation_id for hit in search(user, query)}
    titles = {row.id: wire.title(row) or "" for row in Conversation.objects.filter(id__in=found)}
    return {id_ for id_ in found if id_ in said or fits(query, Text.of(titles[id_]))}


def recall(conversation: UUID, query: Query) -> list[Hit]:
    """All that fits in one conversation, the best first. For callers that checked membership."""
    places = stretches.of_conversation(conversation)
    return _ranked(query, candidates.find(query, places, settings.SEARCH_CANDIDATES, user=None))


def _ranked(query: Query, rows: Sequence[Message]) -> list[Hit]:
    texts = [wire.message_text(row) for row in rows]
    return [Hit(rows[place], texts[place], score) for score, place in rank(query, texts)]
