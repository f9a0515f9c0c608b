"""Counting in this process: a moving window of times for each key, by a clock that never jumps."""

from collections import deque
from collections.abc import Hashable


class Window:
    """When one key came, within the time that counts; `debt` is what the other processes do not know of yet."""

    __slots__ = ("blocked_until", "debt", "settling", "times")

    def __init__(self) -> None:
        self.times: deque[float] = deque()
        self.debt = 0
        self.settling = False
        self.blocked_until = 0.0

    def take(self, now: float, amount: int, seconds: float) -> float:
        """Count one more; the seconds to wait where that is too many, else 0."""
        times = self.times
        oldest = now - seconds
        while times and times[0] <= oldest:
            times.popleft()
        if now < self.blocked_until:
            return self.blocked_until - now
        if len(times) >= amount:
            return times[len(times) - amount] + seconds - now
        times.append(now)
        self.debt += 1
        return 0.0


class Windows:
    """The windows of all keys. Those that nobody came to for as long as they count are forgotten."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._current: dict[Hashable, Window] = {}
        self._before: dict[Hashable, Window] = {}
        self._turn_at = 0.0

    def __len__(self) -> int:
        return len(self._current) + len(self._before)

    def of(self, key: Hashable, now: float) -> Window:
        if now >= self._turn_at:
            self._before = self._current if now < self._turn_at + self._seconds else {}
            self._current = {}
            self._turn_at = now + self._seconds
        window = self._current.get(key)
        if window is None:
            window = self._current[key] = self._before.pop(key, Window())
        return window
