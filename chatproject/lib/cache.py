"""Django's cache: the memory of this process, but that what is added once is added once in all processes.

Libraries keep in it what must not come twice (codes, signed tokens). Where Redis is away, each process is on its own.
"""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from chatproject.lib.volatile import volatile

LONGEST_SECONDS = 24 * 3600


class SharedCache(LocMemCache):
    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Store `value` unless there is one; whether it was stored. Among all processes one is told so."""
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        if not super().add(key, value, timeout, version):
            return False
        return volatile().claim(f"once:{self.make_key(key, version)}", _within_a_day(seconds))


def _within_a_day(seconds: float | None) -> int:
    return max(1, min(LONGEST_SECONDS, int(seconds if seconds is not None else LONGEST_SECONDS)))
