"""Searching, for every door: what a user may read, or a conversation whose membership was checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import User
from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from conversations import wire
from conversations.models import Conversation, Message
from conversations.search import candidates, embedders, embedding, stretches, vectors
from conversations.search.embedders import EmbeddingFailed
from conversations.search.query import Query
from conversations.search.ranking import Text, fits, fused, is_allowed, rank
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
            "score": round(self.score, 5),
            "snippet": shown.text,
            "highlights": [list(span) for span in shown.highlights],
        }


MODES = ("text", "semantic", "hybrid")


def search(
    user: User,
    query: Query,
    *,
    mode: str = "text",
    conversation: UUID | None = None,
    before: UUID | None = None,
) -> list[Hit]:
    """All that fits among what `user` may read (or of it in one conversation), the best first.

    Of more than SEARCH_CANDIDATES messages that fit, the newest, or those nearest in meaning. `before`: only
    texts up to this event. Raises Problem `invalid` for a mode that is not there, and `unavailable` where no
    vectors can be had; `hybrid` goes without them then.
    """
    with metrics.search_seconds.labels(_checked(mode)).time():
        if mode == "semantic":
            return _by_meaning(user, query, conversation, before)
        found = _by_words(user, query, conversation, before)
        return found if mode == "text" else _both(found, user, query, conversation, before)


def _checked(mode: str) -> str:
    if mode not in MODES:
        raise Problem("invalid", errors={"mode": [f"One of {', '.join(MODES)}."]})
    if mode != "text" and not embedders.is_set_up():
        raise Problem("invalid", errors={"mode": ["Only `text` is offered here: EMBEDDER is not set up."]})
    return mode


def _by_words(user: User, query: Query, conversation: UUID | None, before: UUID | None) -> list[Hit]:
    places = stretches.readable(user, conversation)
    return _ranked(query, candidates.find(query, places, settings.SEARCH_CANDIDATES, user=user, before=before))


def _by_meaning(user: User, query: Query, conversation: UUID | None, before: UUID | None) -> list[Hit]:
    index = embedding.active()
    if index is None:
        raise Problem("unavailable", "The index for semantic search is still being built.", retry_after_ms=60_000)
    try:
        [asked] = embedders.get(index.model).embed([query.text])
    except EmbeddingFailed as error:
        metrics.embedding_failures.inc()
        raise Problem("unavailable", str(error), retry_after_ms=5000) from error
    rows = vectors.nearest(index, asked, user, conversation, before, settings.SEARCH_CANDIDATES)
    hits = [Hit(row, wire.message_text(row), 1 - row.distance) for row in rows]  # type: ignore[attr-defined]
    return [hit for hit in hits if is_allowed(query, Text.of(hit.text))]


def _both(found: list[Hit], user: User, query: Query, conversation: UUID | None, before: UUID | None) -> list[Hit]:
    """By words and by meaning; by words alone where vectors cannot be had."""
    try:
        near = _by_meaning(user, query, conversation, before)
    except Problem:
        return found
    hits = {hit.row.id: hit for hit in [*near, *found]}
    scores = fused([[hit.row.id for hit in found], [hit.row.id for hit in near]])
    return [replace(hits[id_], score=score) for id_, score in scores.items()]


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
