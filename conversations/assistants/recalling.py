"""Recalling what was said earlier in a conversation: search, for the assistant that answers in it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from conversations.models import Message
from conversations.search import finding, query
from conversations.search.finding import Hit
from conversations.search.query import Query
from conversations.search.snippets import snippet

# Code points of a recalled message, about, and of what stands for it in a list.
LENGTH, TITLE_LENGTH = 500, 80


def earlier(
    conversation: UUID, reply_to: UUID, text: str, limit: int, known: Collection[int] = ()
) -> list[dict[str, Any]]:
    """What was said before the message `reply_to` about the same as `text`, the best first, without those `known`
    (seqs): `{message, seq, score, role, title, text}`. Only of this conversation."""
    question = Message.objects.filter(conversation=conversation, id=reply_to).first()
    asked = query.alike(text)
    if question is None or asked is None:
        return []
    found = [hit for hit in finding.recall(conversation, asked) if hit.row.seq < question.seq]
    return [_source(hit, asked) for hit in found if hit.row.seq not in known][:limit]


def _source(hit: Hit, asked: Query) -> dict[str, Any]:
    terms = frozenset(asked.terms)
    return {
        "message": str(hit.row.id),
        "seq": hit.row.seq,
        "score": round(hit.score, 5),
        "role": hit.row.role,
        "title": snippet(hit.text, terms, TITLE_LENGTH).text,
        "text": snippet(hit.text, terms, LENGTH).text,
    }
