"""join, leave, fetch, typing, read, state."""

from functools import partial
from uuid import UUID

from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.cursors import Cursor
from conversations.permissions import Permission, require
from conversations.services import reading
from conversations.services.roomstate import set_state as set_register
from realtime import resume
from realtime.commands.registry import command, conversation_id
from realtime.hints import item_of
from realtime.membership import Membership
from realtime.paging import as_encoded, fitting
from realtime.protocol import Fetch, Join, Leave, Read, SetState, Typing
from realtime.session import Session


@command(Join, permission=Permission.READ, limit="fetch")
async def join(session: Session, frame: Join) -> None:
    """`joined`, then what is missing as `catchup` (or `resync`), running answers, live frames."""
    cursor = None if frame.seq is None else Cursor(frame.epoch, frame.seq)
    where = resume.Where(cursor, frame.since)
    conversation = conversation_id(frame.conversation)
    resume.check_limit(len(session.memberships.keys() | {conversation}))
    admission = await resume.prepare(session.authenticated(), conversation, where)
    resume.admit(session, admission, frame.ref)


@command(Leave, permission=None, limit="change")
def leave(session: Session, frame: Leave) -> None:
    """`left`, and `ok` where a ref was given; leaving twice is not an error."""
    if resume.leave(session, conversation_id(frame.conversation)):
        session.send({"type": "left", "conversation": frame.conversation, "reason": "asked"})
    if frame.ref is not None:
        session.send({"type": "ok", "ref": frame.ref})


@command(Fetch, permission=Permission.READ, limit="fetch")
async def fetch(session: Session, frame: Fetch) -> None:
    """`page`: as many events as fit, of those asked for."""
    conversation = conversation_id(frame.conversation)
    events, head = await in_thread(_page, session.authenticated().id, conversation, frame.after_seq, frame.limit)
    fits, _ = fitting([item_of(event) for event in events])
    page = {
        "type": "page",
        "ref": frame.ref,
        "conversation": frame.conversation,
        "events": as_encoded(fits),
        "head": head,
    }
    session.send(page)


@command(Typing, permission=Permission.SEND, limit="change")
def typing(session: Session, frame: Typing) -> None:
    """Tell the others in the room; only a member who joined it can."""
    membership = _joined(session, frame.conversation)
    require(membership.role, Permission.SEND)
    membership.types(on=frame.on)


@command(Read, permission=Permission.READ, limit="change")
async def read(session: Session, frame: Read) -> None:
    """Note how far this user has read, and tell the others in the room where that is news."""
    membership = _joined(session, frame.conversation)
    conversation = membership.room.conversation
    user = session.authenticated()
    await in_thread(reading.mark_read, user=user, conversation=conversation, seq=frame.seq)


@command(SetState, permission=Permission.SEND, limit="change")
async def set_state(session: Session, frame: SetState) -> None:
    """Write a register of the room's shared state: `ok` where a ref was given, then `state:set` to the room."""
    conversation = _joined(session, frame.conversation).room.conversation
    clock = frame.clock
    write = partial(set_register, key=frame.key, value=frame.value, vector=clock.vector, wall=clock.wall)
    user = session.authenticated()
    await in_thread(partial(write, user=user, conversation=conversation, client_id=session.client_id))
    if frame.ref is not None:
        session.send({"type": "ok", "ref": frame.ref})


def _joined(session: Session, conversation: str) -> Membership:
    """The membership of a room that this connection joined. Raises Problem `not_found`."""
    membership = session.memberships.get(conversation_id(conversation))
    if membership is None:
        raise Problem("not_found", "Join the conversation first.")
    return membership


def _page(user_id: UUID, conversation: UUID, after_seq: int, limit: int) -> tuple[list[dict], int]:
    require(selectors.role_of(user_id, conversation), Permission.READ)
    events = selectors.events(conversation, after_seq, limit, most_bytes=settings.BATCH_MAX_BYTES)
    return events, selectors.head(conversation)[1]
