"""Ending a call that takes too long, whatever it does about it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from conversations.assistants.isolation import calls
from conversations.assistants.isolation.calls import Call

log = logging.getLogger(__name__)

# Seconds that a call may take to end when it is told to; then it goes on without anybody waiting for it.
GRACE_SECONDS = 2.0
# Seconds between two looks at a call: with its first word it has less time than before.
LOOK_SECONDS = 1.0


async def in_time(work: Coroutine[Any, Any, None], call: Call) -> None:
    """Do `work` as the `call` while it gives signs of life. Raises AssistantError `assistant_timeout`, and whatever the
    work raises."""
    task = asyncio.create_task(_entered(work, call))
    try:
        while not task.done():
            left = call.left()
            if left <= 0:
                raise call.too_late()
            await asyncio.wait({task}, timeout=min(left, call.limits.stall_seconds, LOOK_SECONDS))
    finally:
        await _end(task, call.name)
    await task


async def _entered(work: Coroutine[Any, Any, None], call: Call) -> None:
    calls.enter(call)
    await work


async def _end(task: "asyncio.Task[None]", name: str) -> None:
    if task.done():
        return
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=GRACE_SECONDS)
    if not done:
        log.error("the assistant %s does not end when it is told to; its answer is given up", name)
    elif not task.cancelled():
        task.exception()  # what it raised on its way out is nobody's concern any more
