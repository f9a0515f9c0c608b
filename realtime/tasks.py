"""Tasks of the event loop, kept alive until they are done (asyncio itself holds only weak references)."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

log = logging.getLogger(__name__)

_running: set[asyncio.Task[Any]] = set()


def run_soon(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task whose failure is logged rather than lost."""
    task = asyncio.get_running_loop().create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_done)
    return task


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
