"""What was read a moment ago, for all who ask for it at about the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# For what nothing tells of when it changes: names of people.
SECONDS = 5.0


class Recent(Generic[T]):
    """Reads at most once in SECONDS, unless it is told to `forget`; who asks during a read waits for that one."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._found: asyncio.Future[T] | None = None
        self._asked = 0.0

    async def get(self) -> T:
        """What was read after the last `forget`. Raises whatever reading raises."""
        if self._found is None or time.monotonic() - self._asked > SECONDS:
            self._asked = time.monotonic()
            self._found = asyncio.ensure_future(self._read())
            self._found.add_done_callback(self._read_ended)
        return await asyncio.shield(self._found)

    def forget(self) -> None:
        """It may be different now."""
        self._found = None

    def _read_ended(self, found: "asyncio.Future[T]") -> None:
        if (found.cancelled() or found.exception()) and self._found is found:
            self._found = None
