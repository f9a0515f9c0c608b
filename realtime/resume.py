"""Opening a conversation on a connection: `joined`, what is missing, running answers, then live frames."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.cursors import Cursor, parse_time, reason_to_resync
from conversations.permissions import Permission, require
from realtime.hub import hub
from realtime.membership import Admission, Membership
from realtime.room import Room
from realtime.session import Session
from realtime.tasks import run_soon

NEWEST = 100


@dataclass(frozen=True)
class Where:
    """Where a client says it is: at a cursor, at a time, or nowhere yet; `runs` are lengths of held answers."""

    cursor: Cursor | None = None
    since: str | None = None
    runs: dict[str, int] = field(default_factory=dict)


async def prepare(user: User, conversation: UUID, where: Where) -> Admission:
    """Read what joining takes; `admit` or `give_up` must follow. Raises Problem `not_found`, `invalid`, `room_full`."""
    role, known = await in_thread(_authorise, user.id, conversation)
    room = await hub().enter(conversation)
    try:
        if room.head != known:
            # What was committed meanwhile may have been this user's removal.
            role, known = await in_thread(_authorise, user.id, conversation)
        admission = await _read(room, user, where, role=role, known=known)
        if admission.seq > room.head:
            await asyncio.shield(room.fill())
        return admission
    except BaseException:
        hub().release(room)
        raise


def give_up(admission: Admission) -> None:
    """Do not join after all."""
    hub().release(admission.room)


def check_limit(count: int) -> None:
    """Raise Problem `too_large` where one connection would have `count` conversations open."""
    if count > settings.ROOMS_PER_CONNECTION:
        raise Problem("too_large", f"At most {settings.ROOMS_PER_CONNECTION} conversations on one connection.")


def admit(session: Session, admission: Admission, ref: Any = None) -> None:
    """In one step of the event loop: whatever is committed from now on reaches the room, and so the member."""
    room, conversation = admission.room, admission.room.conversation
    leave(session, conversation)
    if session.closed:
        return give_up(admission)
    membership = Membership(session, admission)
    session.memberships[conversation] = membership
    shard = hub().join(room, membership)
    session.send(_joined(admission, shard, ref))
    if admission.snapshot:
        session.send(
            {
                "type": "resync",
                "conversation": str(conversation),
                "reason": admission.reason,
                **admission.snapshot,
            }
        )
    run_soon(membership.catch_up())


def leave(session: Session, conversation: UUID) -> bool:
    """Take a session out of a room; tells whether it was in it."""
    membership = session.memberships.pop(conversation, None)
    if membership:
        hub().leave(membership.room, membership)
    return membership is not None


def _authorise(user_id: UUID, conversation: UUID) -> tuple[str, int]:
    role, head = selectors.standing_of(user_id, conversation)
    require(role, Permission.READ)
    return str(role), head


async def _read(room: Room, user: User, where: Where, *, role: str, known: int) -> Admission:
    """`role` is what the user was when the log stood at `known`."""
    seq, reason = await _start(room, where)
    snapshot = await in_thread(selectors.snapshot, room.conversation, user) if reason else None
    members, state = await room.about.get()
    return Admission(
        room=room,
        user_id=user.id,
        user_name=user.display_name,
        role=role,
        seq=snapshot["head"] if snapshot else seq,
        head=known,
        held={} if snapshot else where.runs,
        members=members,
        state=state,
        resumed=reason is None and (where.cursor or where.since) is not None,
        reason=reason,
        snapshot=snapshot,
    )


async def _start(room: Room, where: Where) -> tuple[int, str | None]:
    """The seq after which to replay, or why that cannot be done."""
    epoch, head, most = room.epoch, room.head, settings.CATCHUP_MAX
    if where.cursor is not None:
        return where.cursor.seq, reason_to_resync(where.cursor, epoch, head, most=most, strict=True)
    if where.since is not None:
        seq = min(head, await in_thread(selectors.seq_before, room.conversation, parse_time(where.since)))
        return seq, reason_to_resync(Cursor(epoch, seq), epoch, head, most=most)
    return max(0, head - NEWEST), None


def entry(admission: Admission) -> dict[str, Any]:
    """The entry of `welcome.resumed`."""
    room = admission.room
    found = {
        "conversation": str(room.conversation),
        "ok": admission.resumed,
        "epoch": room.epoch,
        "head": room.head,
    }
    return {**found, "reason": admission.reason} if admission.reason else found


def _joined(admission: Admission, shard: int, ref: Any) -> dict[str, Any]:
    room = admission.room
    frame = {
        "type": "joined",
        "conversation": str(room.conversation),
        "epoch": room.epoch,
        "head": room.head,
        "role": admission.role,
        "shard": shard,
        "online": hub().online(room),
        "members": admission.members,
        "state": admission.state,
        "resumed": admission.resumed,
    }
    if ref is not None:
        frame["ref"] = ref
    return {**frame, "reason": admission.reason} if admission.reason else frame
