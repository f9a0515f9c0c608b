"""All of a user's conversations as one stream: what changed in them between two moments.

What was committed at a snapshot of the database stays so; see conversations/streamcursors.py.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts.models import AuditEntry
from chatproject.lib import clock
from conversations import epochs
from conversations.models import Conversation, Member, Run
from conversations.streamcursors import Base, StreamCursor, compact

# How often CATCHUP_MAX a look into the log of one conversation goes back; what lies further back is too far anyway.
DEPTH = 10
CHANGED = """
SELECT s.number, c.id, COALESCE(held.seq, 0), COALESCE(top.seq, 0), COALESCE(entry.seq, 0)
FROM unnest(%(numbers)s::int[], %(users)s::uuid[], %(bases)s::pg_snapshot[], %(since)s::timestamptz[],
            %(targets)s::pg_snapshot[], %(reached)s::uuid[]) AS s(number, user_id, base, since, target, reached)
JOIN conversations_member m ON m.user_id = s.user_id
JOIN conversations_conversation c ON c.id = m.conversation_id
JOIN conversations_event last ON last.conversation_id = c.id AND last.seq = c.last_seq
LEFT JOIN LATERAL (
    SELECT e.seq FROM conversations_event e
    WHERE e.conversation_id = c.id AND e.seq > c.last_seq - %(depth)s AND CASE
        WHEN c.id < s.reached THEN pg_visible_in_snapshot(e.xact, s.target)
        WHEN s.since IS NULL THEN pg_visible_in_snapshot(e.xact, s.base)
        ELSE e.at < s.since END
    ORDER BY e.seq DESC LIMIT 1
) held ON true
LEFT JOIN LATERAL (
    SELECT e.seq FROM conversations_event e
    WHERE e.conversation_id = c.id AND e.seq > c.last_seq - %(depth)s AND pg_visible_in_snapshot(e.xact, s.target)
    ORDER BY e.seq DESC LIMIT 1
) top ON true
LEFT JOIN LATERAL (
    SELECT e.seq FROM conversations_event e
    WHERE e.conversation_id = c.id AND e.at = m.since
      AND (e.type = 'conversation:new' OR e.type = 'member:add' AND e.data ->> 'user' = m.user_id::text)
    ORDER BY e.seq + 0 DESC LIMIT 1 -- by the index on times, rather than backwards through the whole log
) entry ON true
WHERE CASE WHEN s.since IS NULL THEN NOT pg_visible_in_snapshot(last.xact, s.base) ELSE last.at >= s.since END
"""
# A sum that tells whether somebody's memberships are still the same.
MEMBERSHIPS = """
SELECT user_id, count(*) || ':' || bit_xor(uuid_hash_extended(conversation_id, 0))
FROM conversations_member WHERE user_id = ANY(%s) GROUP BY user_id
"""
HEADS = """
SELECT c.id, COALESCE(top.seq, 0) FROM conversations_conversation c
LEFT JOIN LATERAL (
    SELECT e.seq FROM conversations_event e
    WHERE e.conversation_id = c.id AND e.seq > c.last_seq - %(depth)s
      AND pg_visible_in_snapshot(e.xact, %(snapshot)s::pg_snapshot)
    ORDER BY e.seq DESC LIMIT 1
) top ON true
WHERE c.id = ANY(%(ids)s)
"""

# A time that never comes, and a snapshot in which there was nothing yet, for where a question has none.
NOTHING = "1:1:"


@dataclass(frozen=True)
class Change:
    """What a conversation has of news for a reader at `held` (see `StreamCursor.seq_of`): everything up to `head`.

    `joined` is the seq of the event by which the reader became a member.
    """

    conversation: UUID
    held: int
    head: int
    joined: int


@dataclass
class Look:
    """What changed for one reader until the snapshot `target`; `memberships` differs where he is a member of other
    conversations than before, `numbering` where no earlier position counts any more."""

    target: str
    numbering: bytes
    memberships: str = ""
    changed: list[Change] = field(default_factory=list)


def stream_now() -> StreamCursor:
    """The position of who has everything until now, in all conversations."""
    snapshot, numbering = _now()
    return StreamCursor(numbering, Base(snapshot))


def look(readers: Sequence[tuple[UUID, StreamCursor]]) -> list[Look]:
    """What changed for each reader, a user and his position, since then; on the way to its target where it has one."""
    now, numbering = _now()
    looks = [Look(cursor.target or now, numbering) for _, cursor in readers]
    memberships = dict(_rows(MEMBERSHIPS, [list({user for user, _ in readers})]))
    for one, (user, _) in zip(looks, readers, strict=True):
        one.memberships = memberships.get(user, "")
    for number, *change in _rows(CHANGED, _asked(readers, looks)):
        looks[number].changed.append(Change(*change))
    return looks


def _asked(readers: Sequence[tuple[UUID, StreamCursor]], looks: Sequence[Look]) -> dict[str, Any]:
    cursors = [cursor for _, cursor in readers]
    return {
        "numbers": list(range(len(readers))),
        "users": [user for user, _ in readers],
        "bases": [cursor.base.snapshot or NOTHING for cursor in cursors],
        "since": [cursor.base.since for cursor in cursors],
        "targets": [one.target for one in looks],
        "reached": [cursor.at[0] if cursor.at else UUID(int=0) for cursor in cursors],
        "depth": _depth(),
    }


def heads_at(snapshot: str, conversations: Iterable[UUID]) -> dict[UUID, int]:
    """The heads that conversations had at a snapshot. For callers that checked membership."""
    return dict(_rows(HEADS, {"ids": list(conversations), "snapshot": snapshot, "depth": _depth()}))


def conversation_ids(user: UUID) -> frozenset[UUID]:
    """All conversations of a user."""
    return frozenset(Member.objects.filter(user_id=user).values_list("conversation_id", flat=True))


def lively(user: UUID, seconds: float, limit: int) -> list[UUID]:
    """The user's conversations in which an answer is running or something happened in the last `seconds`."""
    running = Run.objects.filter(status__in=Run.ACTIVE, conversation__members__user=user)
    fresh = Conversation.objects.filter(members__user=user, updated_at__gte=clock.now() - timedelta(seconds=seconds))
    found = [*running.values_list("conversation_id", flat=True)[:limit]]
    found += fresh.order_by("-updated_at").values_list("id", flat=True)[:limit]
    return list(dict.fromkeys(found))[:limit]


def _now() -> tuple[str, bytes]:
    """A snapshot of this moment, and what changes whenever conversations are numbered anew: the database's
    incarnation, and the last time that somebody gave out new epochs."""
    [(snapshot,)] = _rows("SELECT pg_current_snapshot()::text", [])
    renewed = AuditEntry.objects.filter(action="conversation.new_epoch").order_by("-at").values_list("id").first()
    digest = hashlib.sha256(f"{epochs.incarnation()} {renewed}".encode()).digest()
    return compact(snapshot), digest[:8]


def _depth() -> int:
    return DEPTH * settings.CATCHUP_MAX


def _rows(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
