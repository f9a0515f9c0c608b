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
from conversations.search.stretches import Stretches

# An entry must have one hash of each `wanted`. Those of all stretches of a row are in the same array: an entry has
# only hashes of its own stretch.
_STRETCHES = """
    unnest(%(conversations)s::uuid[], %(without)s::text[], {arrays}) WITH ORDINALITY AS s(id, without, {names}, place)
"""
# OFFSET 0 keeps the planner from any other way than one look into the GIN index per row of _STRETCHES.
_ENTRIES = """
    SELECT e.seq, e.event, e.message FROM (
        SELECT * FROM conversations_searchentry WHERE {wanted} OFFSET 0
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
        SELECT s.* FROM {stretches} {readable} ORDER BY s.place OFFSET 0
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
    SELECT s.id FROM {stretches}
    JOIN conversations_conversation c ON c.id = s.id
    JOIN conversations_member mine ON mine.conversation_id = s.id AND mine.user_id = %(user)s
    WHERE EXISTS (
        SELECT 1 FROM ({entries}) e WHERE e.event = c.title_event OR EXISTS (
            SELECT 1 FROM ({visible}) m WHERE m.id = e.message AND m.text_event = e.event
        )
    )
"""
# Groups of terms, of each of which a text must have one.
Wanted = Sequence[Sequence[str]]


def all_of(query: Query) -> Wanted:
    """What texts with all terms have."""
    return [[term] for term in query.terms]


def some_of(query: Query) -> Wanted:
    """What texts with at least one term have."""
    return [query.terms]


def find(
    query: Query, places: Sequence[Stretches], limit: int, *, user: User | None, before: UUID | None = None
) -> list[Message]:
    """Up to `limit` visible messages: the newest that have all terms, then the newest that have some.

    Without a `user`, the caller has checked membership. `before`: only texts up to this event (as ids go).
    """
    found = _look(all_of(query), query, places, limit, user, before)
    if len(query.terms) > 1 and len(found) < limit:
        found |= _look(some_of(query), query, places, limit, user, before)
    newest = sorted(found.values(), key=lambda row: (row.created_at, row.id), reverse=True)
    return newest if len(newest) <= limit else list(found.values())[:limit]


def _look(
    wanted: Wanted, query: Query, places: Sequence[Stretches], limit: int, user: User | None, before: UUID | None
) -> dict[UUID, Message]:
    rows = Message.objects.raw(*statement(wanted, query, places, limit, user, before))
    return {row.id: row for row in rows}


def statement(
    wanted: Wanted, query: Query, places: Sequence[Stretches], limit: int, user: User | None, before: UUID | None
) -> tuple[str, dict[str, Any]]:
    """The query for the newest messages, and its parameters."""
    sql, given = _statement(_NEWEST, wanted, query, places, readable=_READABLE if user else "")
    return sql, {**given, "user": user and user.id, "before": before, "limit": limit}


def conversations(query: Query, places: Sequence[Stretches], user: User) -> set[UUID]:
    """Those in which one visible message, or the title, has all terms: the newest stretch of each, then the rest."""
    newest = {one.conversation: one for one in reversed(places)}
    found = _with_one(query, list(newest.values()), user)
    rest = [one for one in places if one.conversation not in found and newest[one.conversation] is not one]
    return found | _with_one(query, rest, user)


def _with_one(query: Query, places: Sequence[Stretches], user: User) -> set[UUID]:
    if not places:
        return set()
    sql, given = _statement(_WITH_ONE, all_of(query), query, places)
    with connection.cursor() as cursor:
        cursor.execute(sql, {**given, "user": user.id})
        return {id_ for (id_,) in cursor.fetchall()}


def _statement(
    template: str, wanted: Wanted, query: Query, places: Sequence[Stretches], **parts: str
) -> tuple[str, dict[str, Any]]:
    """A statement over the entries of `places`, and its parameters."""
    visible, values = Message.objects.visible().query.sql_with_params()
    named = {f"visible_{number}": value for number, value in enumerate(values)}
    visible = visible % tuple(f"%({name})s" for name in named)
    arrays = {f"wanted_{number}": _arrays(terms, places) for number, terms in enumerate(wanted)}
    stretches = _STRETCHES.format(arrays=", ".join(f"%({name})s::text[]" for name in arrays), names=", ".join(arrays))
    entries = _ENTRIES.format(wanted=" AND ".join(f"words && s.{name}::bigint[]" for name in arrays))
    return template.format(stretches=stretches, entries=entries, visible=visible, **parts), {
        "conversations": [one.conversation for one in places],
        "without": _arrays(query.without, places),
        **arrays,
        **named,
    }


def _arrays(terms: Iterable[str], places: Sequence[Stretches]) -> list[str]:
    """For each place the hashes of `terms` in its stretches, as PostgreSQL writes arrays."""
    terms = list(terms)
    secrets = {one.conversation: one.key for one in places}
    plain = {id_: hashing.hashed(key, terms) for id_, key in secrets.items()}
    return [_array(plain[one.conversation], one) for one in places]


def _array(plain: Sequence[int], place: Stretches) -> str:
    hashes = (value for number in place.numbers for value in hashing.placed(plain, place.conversation, number))
    return f"{{{','.join(map(str, hashes))}}}"
