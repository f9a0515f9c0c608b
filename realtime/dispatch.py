"""From frames to commands: decode, check the order of things, run, answer errors."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from typing import Any

from django.conf import settings

from chatproject.lib import metrics
from chatproject.lib.caller import note
from chatproject.lib.database import as_problem
from chatproject.lib.errors import Problem
from chatproject.lib.limits import take
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
    """Handles the frames of one client one after the other: at once, or after one that must wait for something.
    What may queue behind it is bounded."""

    __slots__ = ("_frames", "_session", "_worker")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._frames: deque[protocol.ClientFrame] | None = None
        self._worker: asyncio.Task[None] | None = None

    def receive(self, text: str) -> None:
        """Take one WebSocket message."""
        if self._session.closed:
            return None
        self._session.heard()
        try:
            frames = protocol.decode(text)
        except Problem as problem:
            if problem.code.name == "too_large":
                self._session.close(Close.TOO_BIG)
            return self._session.malformed(problem, protocol.ref_of(text))
        for frame in frames:
            self._take(frame)

    def _take(self, frame: protocol.ClientFrame) -> None:
        if self._session.closed:
            return
        if self._worker and not (COMMANDS[type(frame)].at_once and self._session.user):
            return self._queue(frame)
        rest = self._do(frame)
        if self._worker is None and (rest or self._session.outbox.crowded):
            self._worker = run_soon(self._work(frame, rest))

    def _queue(self, frame: protocol.ClientFrame) -> None:
        self._frames = self._frames or deque()
        if len(self._frames) < LANE_MAX:
            self._frames.append(frame)
        else:
            busy = Problem("rate_limited", "Too many frames at once.", retry_after_ms=1000)
            self._session.fail(busy, getattr(frame, "ref", None))
            self._session.refused()

    async def _work(self, frame: protocol.ClientFrame, rest: Awaitable[None] | None) -> None:
        """Finish `frame`, and handle those that came in meanwhile."""
        while True:
            if rest:
                try:
                    await _in_time(frame, rest)
                except Exception as error:
                    self._failed(frame, error)
            await self._session.outbox.uncrowded()
            if not self._frames or self._session.closed:
                break
            frame = self._frames.popleft()
            rest = self._do(frame)
        self._frames = self._worker = None

    def _do(self, frame: protocol.ClientFrame) -> Awaitable[None] | None:
        """Handle a frame; what is to be awaited, where that takes waiting."""
        session = self._session
        if (session.user is None) != isinstance(frame, Hello):
            self._out_of_order(frame)
            return None
        if session.user is None:
            session.greet()
        command = COMMANDS[type(frame)]
        note(conversation=getattr(frame, "conversation", None), run=getattr(frame, "run", None))
        try:
            session.require(command.scope)
            if command.limit and session.user:
                take(command.limit, session.user.pk)
            return command.handler(session, frame)
        except Exception as error:
            self._failed(frame, error)
            return None

    def _failed(self, frame: protocol.ClientFrame, error: Exception) -> None:
        problem = as_problem(error)
        if problem.code.name == "internal":
            log.error("a command failed", exc_info=error)
        self._session.fail(problem, getattr(frame, "ref", None))
        if problem.code.name == "rate_limited":
            self._session.refused()
        if isinstance(frame, Hello) and not problem.code.retryable:
            self._session.close(REFUSED.get(problem.code.name, Close.BAD_FRAME))

    def _out_of_order(self, frame: protocol.ClientFrame) -> None:
        if isinstance(frame, Hello):
            return self._session.malformed(Problem("invalid", "hello was said already."))
        if self._session.greeted:
            return self._say_again(getattr(frame, "ref", None))
        self._session.fail(Problem("unauthenticated", "Send hello first."), getattr(frame, "ref", None))
        return self._session.close(Close.NOT_AUTHENTICATED)

    def _say_again(self, ref: Any) -> None:
        """Its `hello` was put off; acknowledging that is no mistake."""
        if ref is not None:
            self._session.fail(Problem("unavailable", "Say hello again.", retry_after_ms=1000), ref)


async def _in_time(frame: protocol.ClientFrame, rest: Awaitable[None]) -> None:
    """Finish what a frame asked for. Raises Problem `unavailable` where that takes too long: it was not done, or its
    repetition changes nothing."""
    seconds = settings.HELLO_SECONDS if isinstance(frame, Hello) else settings.ANSWER_MS / 1000
    try:
        async with asyncio.timeout(seconds) as limit:
            await rest
    except TimeoutError as error:
        if not limit.expired():
            raise
        metrics.refusals.labels("slow").inc()
        raise Problem("unavailable", "This takes too long now.", retry_after_ms=1000) from error
