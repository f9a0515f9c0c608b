"""When what waits goes out: at once where there is little to do, in rounds under load."""

import asyncio
import time
from typing import Protocol

from django.conf import settings

# After a round that took a while, the next one waits this many times as long, half of BATCH_MS at most: handing over
# takes a tenth of the time, what comes in meanwhile is joined, and with the round itself nothing waits for longer.
REST = 9


class Holder(Protocol):
    """Something that holds frames back until it is told to hand them over."""

    def flush(self) -> None: ...


class Pace:
    """The rounds of one event loop. Rooms hand over to the outboxes of their members, so they come first."""

    def __init__(self) -> None:
        self._rooms: dict[Holder, None] = {}
        self._outboxes: dict[Holder, None] = {}
        self._round: asyncio.Handle | None = None
        self._rested = 0.0

    def room(self, room: Holder) -> None:
        """Have `room` flushed in the next round."""
        self._rooms[room] = None
        if self._round is None:
            self._plan()

    def outbox(self, outbox: Holder) -> None:
        """Have `outbox` flushed in the next round, after the rooms."""
        self._outboxes[outbox] = None
        if self._round is None:
            self._plan()

    def _plan(self) -> None:
        wait, loop = self._rested - time.monotonic(), asyncio.get_running_loop()
        self._round = loop.call_later(wait, self._go) if wait > 0 else loop.call_soon(self._go)

    def _go(self) -> None:
        begun = time.thread_time()
        rooms, self._rooms = self._rooms, {}
        for room in rooms:
            room.flush()
        outboxes, self._outboxes = self._outboxes, {}
        for outbox in outboxes:
            outbox.flush()
        took = time.thread_time() - begun
        self._rested = time.monotonic() + min(took * REST, settings.BATCH_MS / 2000)
        self._round = None
        if self._rooms or self._outboxes:
            self._plan()
