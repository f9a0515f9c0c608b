"""Which texts can be meant: the newest whose hashes fit, among those that the caller may read.

The database sees hashes alone. What it finds is opened and looked at again by ranking.py.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import User
from conversations.models import Message
from conversations.search import hashing
from conversations.search.query import Query
from conversations.search.stretches import Stretch

_STRETCHES = "unnest(%(conversations)s::uuid[], %(wanted)s::text[], %(without)s::text[])"
# OFFSET 0 keeps the planner from any other way than one look into the GIN index per stretch.
_ENTRIES = """
    SELECT e.seq, e.event, e.message FROM (
        SELECT * FROM conversations_searchentry WHERE words {operator} s.wanted::bigint[] OFFSET 0
    ) e
    WHERE e.conversation_id = s.id AND NOT e.words && s.without::bigint[]
"""
_READABLE = """
    JOIN conversations_member mine ON mine.conversation_id = s.id AND mine.user_id = %(user)s
    JOIN accounts_user me ON me.id = mine.user_id AND me.is_active
"""
# LATERAL all the way and no ORDER BY at the end: the stretches are gone through one after the other, the newest
# first, each from its end, and no further than until LIMIT has enough.
_NEWEST = """
    SELECT m.* FROM (
        SELECT s.* FROM {stretches} WITH ORDINALITY AS s(id, wanted, without, place) {readable}
        ORDER BY s.place OFFSET 0
    ) s
    CROSS JOIN LATERAL ({entries} ORDER BY e.seq DESC OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT m.id, m.conversation_id, m.seq, m.role, m.author_name, m.status, m.text, m.text_event, m.created_at
        FROM ({visible}) m WHERE m.id = e.message AND m.text_event = e.event OFFSET 0
    ) m
    WHERE %(before)s::uuid IS NULL OR m.text_event <= %(before)s
    LIMIT %(limit)s
"""
_WITH_ONE = """
    SELECT s.id FROM {stretches} AS s(id, wanted, without)
    JOIN conversations_conversation c ON c.id = s.id
    JOIN conversations_member mine ON mine.conversation_id = s.id AND mine.user_id = %(user)s
    WHERE EXISTS (
        SELECT 1 FROM ({entries}) e WHERE e.event = c.title_event OR EXISTS (
            SELECT 1 FROM ({visible}) m WHERE m.id = e.message AND m.text_event = e.event
        )
    )
"""
ALL_OF, SOME_OF = "@>", "&&"


def find(
    query: Query, stretches: Sequence[Stretch], limit: int, *, user: User | None, before: UUID | None = None
) -> list[Message]:
    """Up to `limit` visible messages: the newest that have all terms, then the newest that have some.

    Without a `user`, the caller has checked membership. `before`: only texts up to this event (as ids go).
    """
    found = _look(ALL_OF, query, stretches, limit, user, before)
    if len(query.terms) > 1 and len(found) < limit:
        found |= _look(SOME_OF, query, stretches, limit, user, before)
    newest = sorted(found.values(), key=lambda row: (row.created_at, row.id), reverse=True)
    return newest if len(newest) <= limit else list(found.values())[:limit]


def _look(
    operator: str, query: Query, stretches: Sequence[Stretch], limit: int, user: User | None, before: UUID | None
) -> dict[UUID, Message]:
    rows = Message.objects.raw(*statement(operator, query, stretches, limit, user, before))
    return {row.id: row for row in rows}


def statement(
    operator: str, query: Query, stretches: Sequence[Stretch], limit: int, user: User | None, before: UUID | None
) -> tuple[str, dict[str, Any]]:
    """The query for the newest messages, and its parameters."""
    sql, given = _statement(_NEWEST, operator, query, stretches, readable=_READABLE if user else "")
    return sql, {**given, "user": user and user.id, "before": before, "limit": limit}


def conversations(query: Query, stretches: Sequence[Stretch], user: User) -> set[UUID]:
    """Those in which one visible message, or the title, has all terms: the newest stretch of each, then the rest."""
    newest = {one.conversation: one for one in reversed(stretches)}
    found = _with_one(query, list(newest.values()), user)
    rest = [one for one in stretches if one.conversation not in found and newest[one.conversation] is not one]
    return found | _with_one(query, rest, user)


def _with_one(query: Query, stretches: Sequence[Stretch], user: User) -> set[UUID]:
    if not stretches:
        return set()
    sql, given = _statement(_WITH_ONE, ALL_OF, query, stretches)
    with connection.cursor() as cursor:
        cursor.execute(sql, {**given, "user": user.id})
        return {id_ for (id_,) in cursor.fetchall()}


def _statement(
    template: str, operator: str, query: Query, stretches: Sequence[Stretch], **parts: str
) -> tuple[str, dict[str, Any]]:
    """A statement over the entries of `stretches`, and its parameters."""
    visible, values = Message.objects.visible().query.sql_with_params()
    named = {f"visible_{number}": value for number, value in enumerate(values)}
    visible = visible % tuple(f"%({name})s" for name in named)
    sql = template.format(stretches=_STRETCHES, entries=_ENTRIES.format(operator=operator), visible=visible, **parts)
    return sql, {
        "conversations": [one.conversation for one in stretches],
        "wanted": _arrays(query.terms, stretches),
        "without": _arrays(query.without, stretches),
        **named,
    }


def _arrays(terms: Iterable[str], stretches: Sequence[Stretch]) -> list[str]:
    """For each stretch the hashes of `terms`, as PostgreSQL writes arrays."""
    terms = list(terms)
    conversations = {one.conversation: one.key for one in stretches}
    plain = {id_: hashing.hashed(key, terms) for id_, key in conversations.items()}
    placed = (hashing.placed(plain[one.conversation], one.conversation, one.number) for one in stretches)
    return ["{" + ",".join(map(str, values)) + "}" for values in placed]
