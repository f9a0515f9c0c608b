"""How hints come in: what this process tells itself, what others tell through Redis."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from realtime import broadcast, hints
from realtime.subscriptions import PROBE, Subscriptions

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.01


class Hearing:
    """Calls `hear(conversation, items, at)` on the event loop; `at` is when the hint was given (seconds since 1970)."""

    def __init__(self, subscriptions: Subscriptions, hear: Callable[[UUID, Sequence[hints.Item], float], None]) -> None:
        self._subscriptions, self._hear = subscriptions, hear
        self._loop = asyncio.get_running_loop()

    def begin(self) -> None:
        """Listen to this process."""
        broadcast.listeners.add(self._overhear)

    def end(self) -> None:
        broadcast.listeners.discard(self._overhear)

    async def receive(self) -> None:
        """Listen to the others; for ever."""
        while True:
            if self._subscriptions.channel is None:
                await asyncio.sleep(IDLE_SECONDS)
                continue
            try:
                self._take(await self._subscriptions.layer.receive(self._subscriptions.channel))
            except Exception as error:
                log.warning("a hint could not be used (%s); the poll delivers", type(error).__name__)
                await asyncio.sleep(IDLE_SECONDS)

    def _take(self, message: dict[str, Any]) -> None:
        """Raises what `hints.unpack` raises: anybody who reaches Redis can publish anything."""
        if message["type"] == PROBE:
            return self._subscriptions.probed()
        if not hints.is_own(message):
            conversation, hint = hints.unpack(message)
            self._hear(conversation, hint.items, hint.at)
        return None

    def _overhear(self, items: broadcast.Items) -> None:
        """In the thread of `broadcast`."""
        with suppress(RuntimeError):  # the loop was closed, and nobody ended this
            self._loop.call_soon_threadsafe(self._hear_all, items, time.time())

    def _hear_all(self, items: broadcast.Items, at: float) -> None:
        for conversation, some in items.items():
            self._hear(conversation, some, at)
