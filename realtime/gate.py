"""How many clients may say `hello` at the same time: some are let in, some wait in front of the door, and beyond that
each is told its turn, and comes back.

When a server dies, its clients come to the others at once. Whoever is let in is served quickly, the others do not
pile up in memory or in front of the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from chatproject.lib import metrics
from chatproject.lib.errors import Problem

# What one `hello` takes of the processor at least (tests/faults/test_storm.py): at the beginning of a storm those that
# went before were quicker than the next ones will be.
LEAST_SECONDS = 0.0025
# The weight of the latest `hello` in what is expected of the next.
WEIGHT = 0.05
# Nobody is put off for longer, however many there are: servers may have been added meanwhile.
LONGEST_SECONDS = 30.0


class Gate:
    """The door of one event loop."""

    def __init__(self) -> None:
        self._door = asyncio.Semaphore(settings.HELLO_AT_ONCE)
        self._here = 0
        self._seconds = 0.0
        self._last_turn = 0.0

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Be let in, for as long as this lasts, as soon as it is one's turn. Raises Problem `rate_limited`."""
        if self._here >= settings.HELLO_AT_ONCE + settings.HELLO_WAITING:
            metrics.hellos_put_off.inc()
            raise Problem("rate_limited", "Many connect just now.", retry_after_ms=self._next_turn())
        self._here += 1
        try:
            async with self._door:
                begun = time.monotonic()
                yield
                self._seconds += WEIGHT * (time.monotonic() - begun - self._seconds)
        finally:
            self._here -= 1

    def _next_turn(self) -> int:
        """Milliseconds until those who are here, and those who were told their turn before, are done."""
        now = time.monotonic()
        each = max(LEAST_SECONDS, self._seconds / settings.HELLO_AT_ONCE)
        self._last_turn = min(max(self._last_turn, now + each * self._here) + each, now + LONGEST_SECONDS)
        return round((self._last_turn - now) * 1000)
