"""Going away without losing anybody: on SIGTERM the clients leave in turn, then the server ends as ever.

Works below any ASGI server: its own handler is called once everybody has gone, or DRAIN_SECONDS are over. A
second signal ends it at once.
"""

import asyncio
import logging
import random
import signal
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from types import FrameType
from typing import Any, Protocol
from weakref import WeakSet

from django.conf import settings

from realtime.tasks import run_soon

log = logging.getLogger(__name__)

# Clients that are sent away in a second, so that those who take them in are not run over.
CLIENTS_PER_SECOND = 100
# Seconds from the moment when a client was to go until its connection is closed.
GRACE_SECONDS = 1.0


_all: "WeakSet[Drain]" = WeakSet()


def is_draining() -> bool:
    """Whether this process is on its way out; for `/readyz`."""
    return any(one.begun for one in _all)


class Leaver(Protocol):
    """A connection that can be asked to go: after `seconds`, and it is ended GRACE_SECONDS later."""

    def drain(self, seconds: float) -> None: ...


class Drain:
    """`begun` once this process takes nobody in any more."""

    def __init__(self, connections: Callable[[], Collection[Leaver]]) -> None:
        self.begun = False
        # Set whenever the last connection has gone.
        self.empty = asyncio.Event()
        self._connections = connections
        _all.add(self)

    async def run(self) -> None:
        """Send everybody away, evenly over the time that it takes; returns when they are gone."""
        self.begun = True
        leavers = list(self._connections())
        random.shuffle(leavers)
        span = min(settings.DRAIN_SECONDS, len(leavers) / CLIENTS_PER_SECOND)
        log.info("draining %d connections over %.1f s", len(leavers), span)
        for number, leaver in enumerate(leavers):
            leaver.drain(span * number / len(leavers))
        if leavers:
            self.empty.clear()  # since the last time that nobody was here
            with suppress(TimeoutError):
                await asyncio.wait_for(self.empty.wait(), span + 3 * GRACE_SECONDS)

    def on_signal(self) -> None:
        """Drain before the server's own answer to SIGTERM; call it in the event loop once the server runs."""
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread may; a server in another one has no signals
        loop = asyncio.get_running_loop()
        before: Any = signal.getsignal(signal.SIGTERM)

        def answer(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGTERM, before)
            loop.call_soon_threadsafe(lambda: run_soon(self._then(lambda: signal.raise_signal(signal.SIGTERM))))

        if callable(before):
            signal.signal(signal.SIGTERM, answer)

    async def _then(self, end: Callable[[], None]) -> None:
        await self.run()
        end()
