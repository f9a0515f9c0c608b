"""Doing background jobs: plain functions, each in a thread of its own, so that answers never wait for them."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from django.conf import settings
from django.db import connections

from chatproject.lib import metrics
from chatproject.lib.caller import note
from chatproject.lib.database import is_away

log = logging.getLogger(__name__)

Item = TypeVar("Item")

# The longest rest after a piece of work (seconds).
MOST_REST = 1.0

_stopping = threading.Event()


class Stopped(Exception):
    """The process is asked to end: what is not done yet is done by the next job."""


def stop() -> None:
    """Have running jobs end at their next `pause`."""
    _stopping.set()


def pause() -> None:
    """To be called by long jobs between two pieces of work. Raises Stopped."""
    if _stopping.is_set():
        raise Stopped


def gently(items: Iterable[Item]) -> Iterator[Item]:
    """Go through work that nobody waits for: after each item so long a rest that it takes BACKGROUND_PERCENT of the
    time, and answers in the same process the rest of it. Raises Stopped."""
    for item in items:
        pause()
        began = time.monotonic()
        yield item
        worked = time.monotonic() - began
        _stopping.wait(min(MOST_REST, worked * (100 / settings.BACKGROUND_PERCENT - 1)))


async def do(name: str, work: Callable[[], object]) -> None:
    """Do `work`, count and log what came of it. Raises what it raised.

    The thread is a daemon: a job that does not `pause` cannot hold up the end of its process, it dies with it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: Exception | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(None)

    def run() -> None:
        note(job=name)
        error = _attempt(name, work)
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    await done


def _attempt(name: str, work: Callable[[], object]) -> Exception | None:
    error: Exception | None = None
    try:
        work()
    except Exception as raised:
        error = raised
        _tell(name, raised)
    finally:
        connections.close_all()
    metrics.jobs.labels(name, "failed" if error else "done").inc()
    return error


def _tell(name: str, error: Exception) -> None:
    if isinstance(error, Stopped):
        log.info("%s was stopped", name)
    elif is_away(error):
        log.warning("%s: the database is away (%s)", name, type(error).__name__)
    else:
        log.error("%s failed", name, exc_info=error)
