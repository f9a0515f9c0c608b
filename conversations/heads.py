"""What a group of appends begins with and ends with: the heads of its conversations, locked and later stored; who may
write to them; what was written before."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from chatproject.lib import clock, rows
from conversations.appends import Append, Identity
from conversations.models import Conversation, Event

# Milliseconds that a group waits for a lock on anything but a conversation.
IMPATIENT_MS = 100
# What events change on the row of their conversation.
ADVANCED = ("id", "last_seq", "updated_at", "active_run", *Conversation.COUNTERS)
# In id order, so that two groups never wait for each other.
LOCK = (
    f"SELECT {rows.columns(Conversation, 'c')} FROM conversations_conversation c"  # noqa: S608
    " WHERE c.id = ANY(%s::uuid[]) ORDER BY c.id FOR UPDATE"
)
BEGUN = "SELECT clock_timestamp(), set_config('lock_timeout', %s, true)"
ROLES = """
    SELECT m.conversation_id, m.user_id::text, m.role
      FROM json_to_recordset(%s::json) AS wanted(conversation uuid, author uuid)
      JOIN conversations_member m ON m.conversation_id = wanted.conversation AND m.user_id = wanted.author
      JOIN accounts_user u ON u.id = m.user_id AND u.is_active
"""
# LATERAL: one look into the index for each, whatever the planner thinks of the size of the log.
KNOWN = f"""
    SELECT found.* FROM json_to_recordset(%s::json) AS wanted(conversation uuid, author text, cmid text)
     CROSS JOIN LATERAL (
           SELECT {rows.columns(Event, "e")} FROM conversations_event e
            WHERE e.conversation_id = wanted.conversation AND e.cmid = wanted.cmid AND e.actor_id = wanted.author
              AND e.imported_by IS NULL LIMIT 1
     ) found
"""  # noqa: S608

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
    identities = rows.as_json(("conversation", "author", "cmid"), {item.identity for item in appends})
    with rows.one_round_trip():
        locking = rows.execute(LOCK if patient else f"{LOCK} SKIP LOCKED", list(wanted))
        begun = rows.execute(BEGUN, str(timeout))
        ranks = rows.execute(ROLES, _authors(appends))
        before = rows.execute(KNOWN, identities)
    [(now, _)] = begun
    return Heads(
        {row.id: row for row in rows.made(Conversation, locking)},
        clock.to_millis(now),
        _roles(ranks),
        {(row.conversation_id, row.actor_id, str(row.cmid)): row for row in rows.made(Event, before)},
    )


def roles(appends: Sequence[Append]) -> Roles:
    """The roles of all users among the authors."""
    return _roles(rows.execute(ROLES, _authors(appends)))


def _roles(found: Iterable[tuple[UUID, str, str]]) -> Roles:
    return {(conversation, author): role for conversation, author, role in found}


def _authors(appends: Sequence[Append]) -> str:
    """The users among the authors and where they write."""
    users = (item for item in appends if item.actor.kind == "user" and not item.create)
    return rows.as_json(("conversation", "author"), {(item.conversation, item.actor.id) for item in users})


def advance(advanced: Sequence[Conversation]) -> None:
    """Store the new heads; one statement for the whole group."""
    rows.update(Conversation, *({name: getattr(one, name) for name in ADVANCED} for one in advanced))
