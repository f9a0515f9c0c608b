"""What a group of appends begins with and ends with: the heads of its conversations, locked and later stored; who may
write to them; what was written before."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection

from chatproject.lib import clock, rows
from conversations.appends import Append, Identity
from conversations.models import Conversation, Event

# Milliseconds that a group waits for a lock on anything but a conversation.
IMPATIENT_MS = 100
# What events change on the row of their conversation, and its types in SQL.
ADVANCED = {"last_seq": "bigint", "updated_at": "timestamptz", "active_run": "uuid"} | dict.fromkeys(
    Conversation.COUNTERS, "int"
)
# In id order, so that two groups never wait for each other.
LOCK = (
    f"SELECT {rows.columns(Conversation, 'c')} FROM conversations_conversation c"  # noqa: S608
    " WHERE c.id = ANY(%s) ORDER BY c.id FOR UPDATE"
)
BEGUN = "SELECT clock_timestamp(), set_config('lock_timeout', %s, true)"
ROLES = """
    SELECT m.conversation_id, m.user_id::text, m.role
      FROM unnest(%s::uuid[], %s::uuid[]) AS wanted(conversation, author)
      JOIN conversations_member m ON m.conversation_id = wanted.conversation AND m.user_id = wanted.author
      JOIN accounts_user u ON u.id = m.user_id AND u.is_active
"""
# LATERAL: one look into the index for each, whatever the planner thinks of the size of the log.
KNOWN = f"""
    SELECT found.* FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS wanted(conversation, author, cmid)
     CROSS JOIN LATERAL (
           SELECT {rows.columns(Event, "e")} FROM conversations_event e
            WHERE e.conversation_id = wanted.conversation AND e.cmid = wanted.cmid AND e.actor_id = wanted.author
              AND e.imported_by IS NULL LIMIT 1
     ) found
"""  # noqa: S608
ADVANCE = (
    f"UPDATE conversations_conversation c SET {', '.join(f'{name} = v.{name}' for name in ADVANCED)}"  # noqa: S608
    f" FROM unnest(%s::uuid[], {', '.join(f'%s::{kind}[]' for kind in ADVANCED.values())})"
    f" AS v(id, {', '.join(ADVANCED)}) WHERE c.id = v.id"
)

Roles = Mapping[tuple[UUID, str], str]


@dataclass
class Heads:
    """What a group finds: its conversations, locked; the time; the roles of its authors, as (conversation, user id);
    events that carry one of its cmids."""

    locked: dict[UUID, Conversation]
    now: datetime
    roles: Roles
    known: dict[Identity, Event]


def lock(appends: Sequence[Append], *, aside: Set[UUID], patient: bool) -> Heads:
    """Lock the conversations of a group, and read what was committed until then: READ COMMITTED shows each statement
    behind the lock what was written while the lock was waited for.

    Unless `patient`, what is locked elsewhere is left out, and locks on other rows are waited for only briefly.
    """
    wanted = {item.conversation for item in appends if item.create is None} - aside
    timeout = settings.LOCK_TIMEOUT_MS if patient else min(IMPATIENT_MS, settings.LOCK_TIMEOUT_MS)
    locking, begun, ranks, before = (connection.cursor() for _ in range(4))
    with locking, begun, ranks, before:
        with rows.one_round_trip():
            locking.execute(LOCK if patient else f"{LOCK} SKIP LOCKED", [list(wanted)])
            begun.execute(BEGUN, [str(timeout)])
            ranks.execute(ROLES, _authors(appends))
            before.execute(KNOWN, [list(column) for column in zip(*(item.identity for item in appends), strict=True)])
        return Heads(
            {row.id: row for row in rows.made(Conversation, locking)},
            clock.to_millis(begun.fetchone()[0]),
            _roles(ranks),
            {(row.conversation_id, row.actor_id, str(row.cmid)): row for row in rows.made(Event, before)},
        )


def roles(appends: Sequence[Append]) -> Roles:
    """The roles of all users among the authors."""
    with connection.cursor() as cursor:
        cursor.execute(ROLES, _authors(appends))
        return _roles(cursor)


def _roles(found: Iterable[tuple[UUID, str, str]]) -> Roles:
    return {(conversation, author): role for conversation, author, role in found}


def _authors(appends: Sequence[Append]) -> list[list[object]]:
    """The users among the authors and where they write, as two columns."""
    pairs = {(item.conversation, item.actor.id) for item in appends if item.actor.kind == "user" and not item.create}
    return [[conversation for conversation, _ in pairs], [author for _, author in pairs]]


def advance(advanced: Sequence[Conversation]) -> None:
    """Store the new heads; one statement for the whole group."""
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE, [[getattr(row, name) for row in advanced] for name in ("id", *ADVANCED)])
