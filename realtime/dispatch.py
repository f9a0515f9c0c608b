"""From frames to commands: decode, check the order of things, run, answer errors."""

import asyncio
import logging

from chatproject.lib.database import as_problem
from chatproject.lib.errors import Problem
from realtime import protocol
from realtime.commands import COMMANDS
from realtime.protocol import Close, Hello
from realtime.session import Session
from realtime.tasks import run_soon

log = logging.getLogger(__name__)

LANE_MAX = 256
# How a connection ends whose `hello` is refused for good.
REFUSED = {"unauthenticated": Close.NOT_AUTHENTICATED, "token_expired": Close.TOKEN_EXPIRED}


class Lane:
    """Handles the frames of one client one after the other; what it may queue is bounded."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._frames: asyncio.Queue[protocol.ClientFrame] = asyncio.Queue(LANE_MAX)
        self._worker: asyncio.Task[None] | None = None

    def receive(self, text: str) -> None:
        """Take one WebSocket message."""
        self._session.heard()
        try:
            frames = protocol.decode(text)
        except Problem as problem:
            if problem.code.name == "too_large":
                self._session.close(Close.TOO_BIG)
            return self._session.malformed(problem)
        for frame in frames:
            self._take(frame)

    def _take(self, frame: protocol.ClientFrame) -> None:
        if COMMANDS[type(frame)].at_once and self._session.user:
            run_soon(self._handle(frame))
            return None
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            busy = Problem("rate_limited", "Too many frames at once.", retry_after_ms=1000)
            return self._session.fail(busy, getattr(frame, "ref", None))
        if self._worker is None:
            self._worker = run_soon(self._work())

    async def _work(self) -> None:
        while not self._frames.empty() and not self._session.closed:
            await self._handle(self._frames.get_nowait())
            await self._session.outbox.uncrowded()
        self._worker = None

    async def _handle(self, frame: protocol.ClientFrame) -> None:
        session = self._session
        if (session.user is None) != isinstance(frame, Hello):
            return self._out_of_order(frame)
        try:
            await COMMANDS[type(frame)].handler(session, frame)
        except Exception as error:
            problem = as_problem(error)
            if problem.code.name == "internal":
                log.exception("a command failed")
            session.fail(problem, getattr(frame, "ref", None))
            if isinstance(frame, Hello) and not problem.code.retryable:
                session.close(REFUSED.get(problem.code.name, Close.BAD_FRAME))

    def _out_of_order(self, frame: protocol.ClientFrame) -> None:
        if isinstance(frame, Hello):
            return self._session.malformed(Problem("invalid", "hello was said already."))
        self._session.fail(Problem("unauthenticated", "Send hello first."), getattr(frame, "ref", None))
        return self._session.close(Close.NOT_AUTHENTICATED)
