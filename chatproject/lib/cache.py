"""Django's cache: the memory of this process, but that what is added once is added once in all processes.

Libraries add to it what must not come twice (codes, signed tokens), and locks, which they delete again. Where Redis is
away, each process is on its own.
"""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from chatproject.lib.volatile import volatile

LONGEST_SECONDS = 24 * 3600


class SharedCache(LocMemCache):
    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Store `value` unless there is one; whether it was stored. Among all processes one is told so."""
        if not super().add(key, value, timeout, version):
            return False
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        if volatile().claim(self._name(key, version), _within_a_day(seconds)):
            return True
        super().delete(key, version)
        return False

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget a key here, and that it was added, everywhere."""
        volatile().drop(self._name(key, version))
        return super().delete(key, version)

    def _name(self, key: Any, version: int | None) -> str:
        return f"once:{self.make_key(key, version)}"


def _within_a_day(seconds: float | None) -> int:
    return max(1, min(LONGEST_SECONDS, int(seconds if seconds is not None else LONGEST_SECONDS)))
