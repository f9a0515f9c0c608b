"""hello, auth, ack, pong."""

import asyncio
from typing import Any

from django.conf import settings

from accounts.models import User
from accounts.services import credentials
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from chatproject.lib.limits import take
from chatproject.lib.threads import in_thread
from conversations.cursors import Cursor
from conversations.services import sessions
from conversations.services.sessions import Visit
from realtime import expiry, resume
from realtime.commands.registry import command, conversation_id
from realtime.hub import hub
from realtime.membership import Admission
from realtime.protocol import VERSION, Ack, Auth, Hello, Pong, ResumePoint
from realtime.session import Session
from realtime.tenure import Tenure


@command(Hello, permission=None)
async def hello(session: Session, frame: Hello) -> None:
    """Identify, answer `welcome`, and take up every conversation where the client left it."""
    if frame.v != VERSION:
        raise Problem("invalid", f"This server speaks version {VERSION}.")
    if hub().drain.begun:
        return session.drain(0)
    resume.check_limit(len(frame.resume))
    async with hub().gate.passing():
        await _welcome(session, frame)


async def _welcome(session: Session, frame: Hello) -> None:
    identity = await session.identify(frame)
    user = identity.user
    take("hello", user.id)
    await session.take_place(user.id)
    visit = Visit(user.id, "websocket", frame.client_id, parse_id(frame.session or ""))
    arriving = asyncio.wrap_future(sessions.arrive(visit))
    prepared = await _prepare(user, frame.resume)
    arrival = await arriving
    session.begin(identity, frame.client_id, arrival.session)
    session.send({
        "type": "welcome",
        "session": str(arrival.session),
        "user": {"id": str(user.id), "name": user.display_name},
        "server_time": clock.rfc3339(clock.now()),
        "heartbeat_ms": settings.HEARTBEAT_MS,
        "timeout_ms": settings.TIMEOUT_MS,
        "ack_window": settings.ACK_WINDOW,
        "batch_ms": settings.BATCH_MS,
        "resumed": [resume.entry(one) if isinstance(one, Admission) else one for one in prepared],
    })  # fmt: skip
    if arrival.over:
        session.send(expiry.came_back(str(frame.session), arrival.over, user.language))
    for one in prepared:
        if isinstance(one, Admission):
            resume.admit(session, one)


async def _prepare(user: User, points: list[ResumePoint]) -> list[Admission | dict[str, Any]]:
    """What was read for every conversation, all or nothing."""
    prepared: list[Admission | dict[str, Any]] = []
    try:
        for point in points:
            prepared.append(await _prepare_one(user, point))
    except BaseException:
        for one in prepared:
            if isinstance(one, Admission):
                resume.give_up(one)
        raise
    return prepared


async def _prepare_one(user: User, point: ResumePoint) -> Admission | dict[str, Any]:
    """What was read for a conversation that is taken up, or the entry that says why it cannot be."""
    where = resume.Where(Cursor(point.epoch, point.seq), runs=point.runs)
    try:
        return await resume.prepare(user, conversation_id(point.conversation), where)
    except Problem as problem:
        if problem.code.name == "unavailable":
            raise
        return {
            "conversation": point.conversation,
            "ok": False,
            "epoch": None,
            "head": None,
            "reason": problem.code.name,
        }


@command(Auth, permission=None)
async def auth(session: Session, frame: Auth) -> None:
    """`ok`: from now on the connection is held by this token, and by its login."""
    identity = await in_thread(credentials.identify, frame.token)
    if identity.user != session.authenticated():
        raise Problem("forbidden", "This token is somebody else's.")
    session.tenure = Tenure(identity)
    session.send({"type": "ok"} if frame.ref is None else {"type": "ok", "ref": frame.ref})


@command(Ack, permission=None, at_once=True)
def ack(session: Session, frame: Ack) -> None:
    session.acked(frame.n)


@command(Pong, permission=None, at_once=True)
def pong(session: Session, frame: Pong) -> None:
    """A sign of life; noted when it came in."""
