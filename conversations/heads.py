"""The heads of conversations, and whatever else of their rows goes on with the log: locked, and stored; and who
may write to it."""

from collections.abc import Sequence, Set
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection

from chatproject.lib import clock
from conversations.appends import Append
from conversations.models import Conversation, Member

# Milliseconds that a group waits for a lock on anything but a conversation.
IMPATIENT_MS = 100
# What events change on the row of their conversation, and its types in SQL.
ADVANCED = {"last_seq": "bigint", "updated_at": "timestamptz", "active_run": "uuid"} | dict.fromkeys(
    Conversation.COUNTERS, "int"
)
ADVANCE = (
    f"UPDATE conversations_conversation c SET {', '.join(f'{name} = v.{name}' for name in ADVANCED)}"  # noqa: S608
    f" FROM unnest(%s::uuid[], {', '.join(f'%s::{kind}[]' for kind in ADVANCED.values())})"
    f" AS v(id, {', '.join(ADVANCED)}) WHERE c.id = v.id"
)


def lock(appends: Sequence[Append], *, aside: Set[UUID], patient: bool) -> tuple[dict[UUID, Conversation], datetime]:
    """The conversations, locked in id order (so that two groups never wait for each other), and the time.

    Unless `patient`, what is locked elsewhere is left out, and locks on other rows are waited for only briefly.
    """
    wanted = {item.conversation for item in appends if item.create is None} - aside
    rows = Conversation.objects.filter(id__in=wanted).order_by("id").select_for_update(skip_locked=not patient)
    locked = {row.id: row for row in rows} if wanted else {}
    timeout = settings.LOCK_TIMEOUT_MS if patient else min(IMPATIENT_MS, settings.LOCK_TIMEOUT_MS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), set_config('lock_timeout', %s, true)", [str(timeout)])
        return locked, clock.to_millis(cursor.fetchone()[0])


def roles(appends: Sequence[Append]) -> dict[tuple[UUID, str], str]:
    """The roles of all users among the authors, as (conversation, user id) -> role."""
    users = {item.actor.id for item in appends if item.actor.kind == "user" and item.create is None}
    if not users:
        return {}
    rows = Member.objects.filter(
        user_id__in=users, user__is_active=True, conversation_id__in={item.conversation for item in appends}
    )
    return {(row.conversation_id, str(row.user_id)): row.role for row in rows}


def advance(rows: Sequence[Conversation]) -> None:
    """Store the new heads; one statement for the whole group."""
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE, [[getattr(row, name) for row in rows] for name in ("id", *ADVANCED)])
