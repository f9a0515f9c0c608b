"""What waits for one socket: joined under load, held back by the ack window, bounded in memory."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Protocol

import msgspec
from django.conf import settings

from realtime.batches import PUNCTUATION, joined, size_of
from realtime.pace import Pace
from realtime.tasks import begin, run_soon

log = logging.getLogger(__name__)

FAREWELL_SECONDS = 1.0
# Times BATCH_MAX_BYTES that answers and errors may take while a client does not read.
OVERFLOW = 8


class Source(Protocol):
    """A room's frames can be dropped, because the log has them; their source is told what became of them."""

    def note_sent(self, seq: int) -> None: ...

    def note_dropped(self) -> None: ...


class Waiting(msgspec.Struct, frozen=True, eq=False):
    """A frame, or several in an array, of `size` bytes; with `source`, those of a room up to `last_seq`."""

    text: str
    size: int
    source: Source | None = None
    last_seq: int = 0


class Outbox:
    """Sends text in order, in the rounds of `pace`. At most ACK_WINDOW messages are unacknowledged; above
    BATCH_MAX_BYTES of waiting text the frames of rooms are dropped, and their rooms serve the client from the log
    later."""

    def __init__(self, send: Callable[[str], Awaitable[None]], pace: Pace) -> None:
        self._send = send
        self._pace = pace
        self._window, self._most = settings.ACK_WINDOW, settings.BATCH_MAX_BYTES
        # Lists, because an empty deque takes 760 bytes, and most are empty most of the time.
        self._waiting: list[Waiting] = []
        self._size = 0
        self._sent = 0
        # When each message that is not acknowledged yet was sent.
        self._unacked: list[float] = []
        # Set whenever less waits; only a few ever wait for that.
        self._taken: asyncio.Event | None = None
        # What the connection does not take at once.
        self._sending: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def roomy(self) -> bool:
        """Whether a page of the log may be put in."""
        return not self._blocked and not self._closed and self._size < self._most // 2

    @property
    def crowded(self) -> bool:
        """Whether so much waits that the client is not to ask for more."""
        return self._size >= self._most and not self._closed

    @property
    def overflowing(self) -> bool:
        """Whether so much waits that cannot be dropped that the client is to go."""
        return self._size > OVERFLOW * self._most

    @property
    def stalled_for(self) -> float:
        """Seconds that the oldest unacknowledged message has been out."""
        return time.monotonic() - self._unacked[0] if self._unacked else 0.0

    async def becomes_roomy(self) -> bool:
        """Wait for what the connection takes; False where the client must acknowledge first, or is gone."""
        while not self.roomy and not self._blocked and not self._closed:
            await self._less()
        return self.roomy

    async def uncrowded(self) -> None:
        """Wait until the client may ask for more."""
        while self.crowded:
            await self._less()

    async def _less(self) -> None:
        self._taken = self._taken or asyncio.Event()
        self._taken.clear()
        await self._taken.wait()

    def say(self, text: str) -> None:
        """Put in a frame that is no room's."""
        self.push(Waiting(text, size_of(text)))

    def push(self, item: Waiting) -> None:
        """Put something in; where it gets too much, what rooms have put in is dropped."""
        self.put(item)
        if self._size > self._most and (self._blocked or self._sending):
            self._drop()

    def put(self, item: Waiting) -> None:
        """Put something in for which there is room (see `roomy`)."""
        if not self._closed:
            self._waiting.append(item)
            self._size += item.size
            self._wake()

    def ack(self, count: int) -> bool:
        """Note a cumulative acknowledgement; False where it is of something never sent."""
        if count > self._sent:
            return False
        del self._unacked[: max(0, count - (self._sent - len(self._unacked)))]
        self._wake()
        return True

    async def close(self) -> None:
        """Send what waits, as far as the connection takes it within FAREWELL_SECONDS; nothing after that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                self.flush()
                while self._sending:
                    await asyncio.wait({self._sending})
                    self.flush()
        self.end()

    def end(self) -> None:
        """Send nothing more: the connection is gone."""
        self._closed = True
        self._waiting.clear()
        self._noted_less(0)

    @property
    def _blocked(self) -> bool:
        return len(self._unacked) >= self._window

    @property
    def _ready(self) -> bool:
        return bool(self._waiting) and not (self._blocked or self._sending or self._closed)

    def _wake(self) -> None:
        if self._ready:
            self._pace.outbox(self)

    def flush(self) -> None:
        """Hand over until nothing waits, the window is full, or the connection takes no more for now."""
        try:
            while self._ready:
                text = self._take()
                self._sent += 1
                self._unacked.append(time.monotonic())
                if rest := begin(self._send(text)):
                    self._sending = run_soon(self._finish(rest))
        except (OSError, RuntimeError) as error:
            self._gone(error)

    async def _finish(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            await rest
        except (OSError, RuntimeError) as error:
            self._gone(error)
        finally:
            self._sending = None
            self._wake()

    def _gone(self, error: Exception) -> None:
        """The ASGI server's way to say that the client is gone, ahead of `websocket.disconnect`."""
        log.info("a client went away while it was sent to (%s)", type(error).__name__)
        self.end()

    def _take(self) -> str:
        """As much of what waits as fits in one message."""
        count, size = 0, 0
        for item in self._waiting:
            if count and size + item.size + PUNCTUATION * count >= self._most:
                break
            count += 1
            size += item.size
            if item.source:
                item.source.note_sent(item.last_seq)
        taken = self._waiting[:count]
        del self._waiting[:count]
        self._noted_less(self._size - size)
        return joined([item.text for item in taken])

    def _noted_less(self, size: int) -> None:
        self._size = size
        if self._taken:
            self._taken.set()

    def drop(self, source: Source) -> None:
        """Forget what one room has put in: it was erased."""
        self._keep(item for item in self._waiting if item.source is not source)

    def _drop(self) -> None:
        dropped = {item.source for item in self._waiting if item.source}
        self._keep(item for item in self._waiting if not item.source)
        for source in dropped:
            source.note_dropped()

    def _keep(self, items: Iterable[Waiting]) -> None:
        self._waiting = list(items)
        self._noted_less(sum(item.size for item in self._waiting))
