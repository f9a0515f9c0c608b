"""Tasks of the event loop, kept alive until they are done (asyncio itself holds only weak references)."""

import asyncio
import logging
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

_running: set[asyncio.Task[Any]] = set()


def run_soon(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task whose failure is logged rather than lost."""
    task = asyncio.get_running_loop().create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_done)
    return task


async def pause() -> None:
    """Let everything that can go on do so, and what that wakes."""
    for _ in range(3):
        await asyncio.sleep(0)


def begin(awaitable: Awaitable[None]) -> Coroutine[Any, Any, None] | None:
    """Do what can be done without waiting; the rest, to be awaited in a task, or None where nothing is left.

    For what waits rarely and is done often: a task for each costs more than the thing itself.
    """
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
    except StopIteration:
        return None
    return _rest(steps, waits_for)


@types.coroutine
def _rest(steps: Generator[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    yield waits_for
    yield from steps


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for them. Now and then redis-py swallows a cancellation: it is repeated."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)


def _done(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and task.exception():
        log.error("a background task failed", exc_info=task.exception())


class Landing:
    """Where results of other threads come back to an event loop: what is done together wakes it once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._done: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._woken = False

    def follow(self, future: "Future[T]", then: "Callable[[Future[T]], None]") -> None:
        """Call `then(future)` on the loop once it is done."""
        future.add_done_callback(partial(self._land, then))

    def _land(self, then: "Callable[[Future[T]], None]", future: "Future[T]") -> None:
        """In any thread. Whoever finds the loop woken was in time: it takes everything after it has cleared that."""
        self._done.append((then, future))
        if not self._woken and not self._loop.is_closed():
            self._woken = True
            self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._woken = False
        while self._done:
            then, future = self._done.popleft()
            try:
                then(future)
            except Exception:
                log.exception("a result could not be used")
