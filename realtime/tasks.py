"""Tasks of the event loop, kept alive until they are done (asyncio itself holds only weak references)."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)

_running: set[asyncio.Task[Any]] = set()


def run_soon(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task whose failure is logged rather than lost."""
    task = asyncio.get_running_loop().create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_done)
    return task


def _done(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and task.exception():
        log.error("a background task failed", exc_info=task.exception())
