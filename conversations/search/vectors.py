"""Vectors in the database: an HNSW index per model, and the texts whose vectors are nearest."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from conversations.models import Embedding, EmbeddingIndex, Member, Message, VectorField

# Vectors of more dimensions are indexed with half precision (pgvector: HNSW takes 2,000, or 4,000 halves).
MOST_PRECISE, MOST = 2000, 4000
# Up to so many vectors of a reader all are compared, which is exact; of more, HNSW finds the nearest. It goes by
# all vectors of the model, so it would find too few of somebody who has few.
COMPARED = 20_000
_NEAREST = """
    SELECT m.*, mine.distance FROM (
        SELECT e.event, e.message, {vector} <=> {asked} AS distance FROM {source} e
        WHERE e.index_id = %(index)s AND e.conversation_id = ANY(%(conversations)s)
        ORDER BY {vector} <=> {asked} LIMIT %(wide)s
    ) mine
    JOIN ({visible}) m ON m.id = mine.message AND m.text_event = mine.event
    JOIN conversations_member reader ON reader.conversation_id = m.conversation_id AND reader.user_id = %(user)s
    WHERE %(before)s::uuid IS NULL OR m.text_event <= %(before)s
    ORDER BY mine.distance, m.id LIMIT %(limit)s
"""
_ALL = "(SELECT * FROM conversations_embedding WHERE conversation_id = ANY(%(conversations)s) OFFSET 0)"


def kind(dimensions: int) -> str:
    """The type that vectors of this length are compared as. Raises ValueError where pgvector cannot."""
    if not 0 < dimensions <= MOST:
        raise ValueError(f"vectors have 1 to {MOST} dimensions")
    return f"{'vector' if dimensions <= MOST_PRECISE else 'halfvec'}({dimensions})"


def make_index(index: EmbeddingIndex) -> None:
    """The HNSW index (cosine) of one model; it holds that model's vectors alone."""
    type_ = kind(index.dimensions or 0)
    with transaction.atomic(), connection.cursor() as cursor:
        # It looks through the vectors of all models, which may take a while.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS {_name(index)} ON conversations_embedding"
            f" USING hnsw ((vector::{type_}) {type_.partition('(')[0]}_cosine_ops) WHERE index_id = {int(index.id)}"
        )


def drop(index: EmbeddingIndex) -> None:
    """Delete a model's vectors, the last ones at least, with all that belongs to them."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {_name(index)}")
    index.delete()


def _name(index: EmbeddingIndex) -> str:
    return f"embedding_hnsw_{int(index.id)}"


def nearest(
    index: EmbeddingIndex,
    asked: Sequence[float],
    user: User,
    conversation: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Message]:
    """Up to `limit` visible messages that `user` may read, the nearest first; each has its `distance`, 0 to 2."""
    mine = Member.objects.filter(user=user, user__is_active=True)
    if conversation:
        mine = mine.filter(conversation=conversation)
    conversations = list(mine.values_list("conversation_id", flat=True))
    given = {"conversations": conversations, "user": user.id, "before": before, "limit": limit, "wide": 2 * limit}
    with transaction.atomic(), connection.cursor() as cursor:
        # Filtered searches go on until they have enough (pgvector 0.8).
        cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")
        sql, more = _statement(index, asked, exact=_count(index, conversations) <= COMPARED)
        return list(Message.objects.raw(sql, {**given, **more}))


def _statement(index: EmbeddingIndex, asked: Sequence[float], *, exact: bool) -> tuple[str, dict[str, Any]]:
    visible, values = Message.objects.visible().query.sql_with_params()
    named = {f"visible_{number}": value for number, value in enumerate(values)}
    type_ = kind(index.dimensions or 0)
    sql = _NEAREST.format(
        vector=f"e.vector::{type_}",
        asked=f"%(asked)s::{type_}",
        source=_ALL if exact else "conversations_embedding",
        visible=visible % tuple(f"%({name})s" for name in named),
    ).replace("%(index)s", str(int(index.id)))  # a literal, so that the planner sees that the partial index fits
    return sql, {"asked": VectorField().get_prep_value(asked), **named}


def _count(index: EmbeddingIndex, conversations: Sequence[UUID]) -> int:
    """How many vectors a reader has, or COMPARED + 1 where there are more."""
    return Embedding.objects.filter(index=index, conversation__in=conversations)[: COMPARED + 1].count()
