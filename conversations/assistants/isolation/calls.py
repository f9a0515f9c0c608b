"""One call of an assistant: since when it is silent, and what it is held up by."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from math import inf

from conversations.assistants.base import AssistantError, Turn
from conversations.assistants.isolation.limits import Limits

_current: ContextVar["Call | None"] = ContextVar("assistant call", default=None)


class Call:
    """Any sign of life is noted with `pulse`; `left` says how long it may stay silent from now on. An assistant that
    asks others lives while they do: they are called within its call `around`."""

    def __init__(self, name: str, limits: Limits, turn: Turn, around: "Call | None" = None) -> None:
        self.name, self.limits, self.turn, self._around = name, limits, turn, around
        self.emitted = False
        self._begun = self._last = time.monotonic()
        self._held = 0
        self._told: set[str] = set()

    def pulse(self, *, emitted: bool = False) -> None:
        self._last = time.monotonic()
        self.emitted = self.emitted or emitted
        if self._around:
            self._around.pulse()

    def left(self) -> float:
        """Seconds until it has taken too long; infinite while it is held up by no fault of its own."""
        if self._held:
            return inf
        now = time.monotonic()
        quiet = self.limits.stall_seconds if self.emitted else self.limits.first_token_seconds
        total = self._begun + self.limits.total_seconds if self.limits.total_seconds else inf
        return min(self._last + quiet, total) - now

    def too_late(self) -> AssistantError:
        """What it ends with when nothing is `left`."""
        return AssistantError("assistant_timeout", "The assistant did not answer in time.")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Its clock stands still while the block runs: it waits for us."""
        self._held += 1
        try:
            with self._around.waiting() if self._around else nullcontext():
                yield
        finally:
            self._held -= 1
            self.pulse()

    async def degraded(self, reason: str) -> None:
        """Tell the room that this does not go as it should, once for each reason."""
        if reason not in self._told:
            self._told.add(reason)
            await self.turn.degraded(self.name, reason)


def current() -> Call | None:
    """The call that runs here."""
    return _current.get()


def enter(call: Call) -> None:
    """Make `call` the one that runs in this task from now on."""
    _current.set(call)
