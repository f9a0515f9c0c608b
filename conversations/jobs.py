"""Jobs: thin, their arguments are ids, their logic lives elsewhere."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from conversations import background, mending, periodic, queue
from conversations.assistants import runner, summarising
from conversations.batches import driving
from conversations.reports import making
from conversations.search import embedding
from conversations.services import (
    batches,
    deserted,
    erasing,
    exports,
    files,
    integrity,
    leaving,
    lifecycle,
    reports,
    sessions,
    snapshots,
)
from conversations.transfer import bulk

# A job that fails is tried again after 2, 4, 8 and 16 seconds.
PATIENCE = RetryStrategy(max_attempts=mending.MAX_ATTEMPTS, exponential_wait=2)


@app.task(name=queue.TAKE_TURN, queue=queue.TURNS)
async def take_turn(conversation: str) -> None:
    await runner.take_turn(UUID(conversation))


@app.task(name=queue.SUMMARISE, queue=queue.BACKGROUND)
async def summarise(conversation: str) -> None:
    """Where it fails, the next context asks for it again."""
    await summarising.summarise(UUID(conversation))


def in_background(name: str, work: Callable[..., object]) -> None:
    """Make `work(**arguments)` the background job `name`."""

    @app.task(name=name, queue=queue.BACKGROUND, retry=PATIENCE)
    async def job(**arguments: Any) -> None:
        await background.do(name, partial(work, **arguments))


def periodically(name: str, work: Callable[[], object]) -> None:
    """Make `work` the periodic job `name`; where it fails, it comes again at its next time."""

    @app.task(name=name, queue=queue.BACKGROUND)
    async def job() -> None:
        with suppress(Exception):
            await background.do(name, partial(periodic.alone, name, work))


periodically(queue.MEND_QUEUE, mending.mend)
periodically(queue.CHECKPOINT, snapshots.checkpoint)
periodically(queue.VERIFY, integrity.verify_some)
periodically(queue.CLEAR_FILES, files.clear_unattached)
periodically(queue.SWEEP_SESSIONS, sessions.sweep)
periodically(queue.LIFECYCLE, lifecycle.live)
in_background(queue.EXPORT, bulk.work)
in_background(queue.ERASE, erasing.erase_made)
in_background(queue.LEAVE, leaving.leave_all)
in_background(queue.BATCH, driving.drive)
in_background(queue.REPORT, making.work)
periodically(queue.MEND_REPORTS, reports.mend)
periodically(queue.MEND_BATCHES, batches.mend)
periodically(queue.MEND_EXPORTS, exports.mend)
periodically(queue.MEND_DESK, deserted.mend)
periodically(queue.EMBED, embedding.work)
