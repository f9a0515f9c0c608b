"""What waits for one socket: joined under load, held back by the ack window, bounded in memory."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from realtime.tasks import run_soon


class Source(Protocol):
    """A room's frames can be dropped, because the log has them; their source is told what became of them."""

    def note_sent(self, seq: int) -> None: ...

    def note_dropped(self) -> None: ...


@dataclass(slots=True, frozen=True)
class Waiting:
    """A frame, or several in an array; with `source`, those of a room up to the event `last_seq`."""

    text: str
    source: Source | None = None
    last_seq: int = 0


class Outbox:
    """Sends text in order. At most ACK_WINDOW messages are unacknowledged; above BATCH_MAX_BYTES of waiting
    text the frames of rooms are dropped, and their rooms serve the client from the log later."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: deque[Waiting] = deque()
        self._size = 0
        self._sent = 0
        self._acked = 0
        self._oldest_unacked = 0.0
        self._pump: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def roomy(self) -> bool:
        """Whether a page of the log may be put in."""
        return not self._blocked and self._size < settings.BATCH_MAX_BYTES // 2

    @property
    def stalled_for(self) -> float:
        """Seconds that the oldest unacknowledged message has been out."""
        return time.monotonic() - self._oldest_unacked if self._sent > self._acked else 0.0

    def push(self, item: Waiting) -> None:
        self._waiting.append(item)
        self._size += len(item.text)
        if self._size > settings.BATCH_MAX_BYTES and self._blocked:
            self._drop()
        self._wake()

    def ack(self, count: int) -> bool:
        """Note a cumulative acknowledgement; False where it is of something never sent."""
        if count > self._sent:
            return False
        if count > self._acked:
            self._acked = count
            self._oldest_unacked = time.monotonic()
        self._wake()
        return True

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()

    @property
    def _blocked(self) -> bool:
        return self._sent - self._acked >= settings.ACK_WINDOW

    def _wake(self) -> None:
        if self._pump is None and self._waiting and not self._blocked and not self._closed:
            self._pump = run_soon(self._run())

    async def _run(self) -> None:
        """Hand over until nothing waits or the window is full; what comes in meanwhile is joined."""
        try:
            while self._waiting and not self._blocked and not self._closed:
                text, taken = self._take()
                if self._sent == self._acked:
                    self._oldest_unacked = time.monotonic()
                self._sent += 1
                for item in taken:
                    if item.source:
                        item.source.note_sent(item.last_seq)
                await self._send(text)
        finally:
            self._pump = None

    def _take(self) -> tuple[str, list[Waiting]]:
        """As much of what waits as fits in one message."""
        taken = [self._waiting.popleft()]
        size = len(taken[0].text)
        while self._waiting and size + len(self._waiting[0].text) < settings.BATCH_MAX_BYTES // 4:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].text)
        self._size -= size
        return joined([item.text for item in taken]), taken

    def _drop(self) -> None:
        dropped = {item.source for item in self._waiting if item.source}
        self._waiting = deque(item for item in self._waiting if not item.source)
        self._size = sum(len(item.text) for item in self._waiting)
        for source in dropped:
            source.note_dropped()


def joined(texts: list[str]) -> str:
    """Several frames as one message; an array is spliced in, not nested."""
    if len(texts) == 1:
        return texts[0]
    return f"[{','.join(text[1:-1] if text.startswith('[') else text for text in texts)}]"
