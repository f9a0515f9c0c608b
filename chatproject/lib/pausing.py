"""Leaving Redis alone for a while after it failed: away or hung, it costs one caller a short wait once in a while."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from redis import RedisError

log = logging.getLogger(__name__)

# Seconds without Redis after a command that failed; then one caller tries again.
PAUSE_SECONDS = 5.0

T = TypeVar("T")


class Pause:
    """Whether Redis is worth asking just now; `what` says in the log what is done without it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._until = 0.0

    def attempt(self, work: Callable[[], T]) -> T | None:
        """What `work` gives; None where Redis is away, or was a moment ago."""
        before = self._until
        now = time.monotonic()
        if now < before:
            return None
        # Whoever comes while this one tries does not wait for Redis too, if it failed before.
        self._until = now + PAUSE_SECONDS if before else 0.0
        try:
            answer = work()
        except (RedisError, OSError) as error:
            self._until = time.monotonic() + PAUSE_SECONDS
            log.warning("%s for %s s (%s)", self._what, PAUSE_SECONDS, type(error).__name__)
            return None
        self._until = 0.0
        return answer
