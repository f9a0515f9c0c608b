"""stop, attach."""

import asyncio
from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.permissions import Permission
from conversations.services import runs
from realtime.commands.registry import command, conversation_id
from realtime.deltas import delta_frame, delta_frames
from realtime.protocol import Attach, Stop
from realtime.session import Session


@command(Stop, permission=Permission.STOP, limit="change")
async def stop(session: Session, frame: Stop) -> None:
    """End a run, wherever it is worked on."""
    user = session.authenticated()
    run = await in_thread(selectors.run_for, user, conversation_id(frame.run), Permission.STOP)
    await asyncio.wrap_future(runs.stop(user=user, run=run))
    session.send({"type": "ok", "ref": frame.ref})


@command(Attach, permission=Permission.READ, limit="fetch")
async def attach(session: Session, frame: Attach) -> None:
    """`delta` with everything from `offset` on; empty where the client holds it all."""
    conversation, answer = await in_thread(_answer, session.authenticated(), conversation_id(frame.run))
    frames = list(delta_frames(conversation, answer, frame.offset))
    for delta in frames or [delta_frame(conversation, answer, frame.offset)]:
        session.send({**delta, "ref": frame.ref})


def _answer(user: User, run_id: UUID) -> tuple[UUID, dict[str, Any]]:
    run = selectors.run_for(user, run_id)
    return run.conversation_id, selectors.answer(run)
