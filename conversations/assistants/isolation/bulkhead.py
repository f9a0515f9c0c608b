"""A bounded number of calls for each assistant and process, and a bounded queue before it: one that hangs takes up no
more than its own."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatproject.lib import metrics
from conversations.assistants.base import AssistantError
from conversations.assistants.isolation.limits import Limits

_halls: dict[str, "Hall"] = {}


class Hall:
    """The calls of one assistant; who waits is let in in order."""

    def __init__(self) -> None:
        self.active = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self, limits: Limits) -> None:
        """Take a place. Raises AssistantError `assistant_busy` where too many wait already."""
        if self.active < limits.concurrency and not self.waiting:
            self.active += 1
            return
        if len(self.waiting) >= limits.queue:
            raise AssistantError("assistant_busy", "This assistant has too much to do; try again later.")
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._give_up(turn)
            raise

    def leave(self) -> None:
        """Give the place to who waits longest."""
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                return turn.set_result(None)
        self.active -= 1

    def _give_up(self, turn: "asyncio.Future[None]") -> None:
        if turn.done() and not turn.cancelled():
            self.leave()
        elif turn in self.waiting:
            self.waiting.remove(turn)


@asynccontextmanager
async def place(name: str, limits: Limits) -> AsyncIterator[None]:
    """A place among the calls of `name`. Raises AssistantError `assistant_busy`."""
    hall = _halls.setdefault(name, Hall())
    with metrics.assistant_calls_waiting.labels(name).track_inprogress():
        await hall.enter(limits)
    try:
        with metrics.assistant_calls_active.labels(name).track_inprogress():
            yield
    finally:
        hall.leave()
