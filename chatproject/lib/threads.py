"""Blocking database work, off the event loop.

Channels' `database_sync_to_async` shares one thread per process, so one slow query would stall every
socket; these threads are ours, several, and give their connection back to the pool.
"""

import asyncio
import contextvars
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

# Seconds that a thread runs on while another wants to.
TURN_SECONDS = 0.0005

_executor = ThreadPoolExecutor(settings.DB_THREADS, thread_name_prefix="db")


def take_short_turns() -> None:
    """Have threads give the interpreter to one another ten times as soon as by Python's default.

    Whoever writes a group of messages waits for PostgreSQL a dozen times, and each time for the event loop, which under
    load gives nothing away by itself: 5 ms each were 75 ms for everybody in the group.
    """
    sys.setswitchinterval(TURN_SECONDS)


def _then_release(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return fn(*args, **kwargs)
    finally:
        connections.close_all()


async def in_thread(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `fn` in a database thread, for the same caller; its result or exception comes back here."""
    loop = asyncio.get_running_loop()
    context = contextvars.copy_context()
    return await loop.run_in_executor(_executor, lambda: context.run(lambda: _then_release(fn, *args, **kwargs)))
