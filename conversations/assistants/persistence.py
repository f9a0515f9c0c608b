"""Writing what a worker must not lose while the database is away for a moment."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import stamina
from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread

T = TypeVar("T")


async def persistently(write: Callable[[], "Future[T]"], *, long: bool = False) -> T:
    """Try `write` until it is done or refused; it must be harmless to do twice. `long`: even to begin it takes a while.

    Raises the Problem that refused it, or `unavailable` where that lasts longer than a lease: by then others
    have taken the run over.
    """
    try:
        return await _written(write, long)
    except Problem as problem:
        if not _is_temporary(problem):
            raise
    retries = stamina.retry_context(
        on=_is_temporary, attempts=None, timeout=settings.LEASE_SECONDS, wait_initial=0.1, wait_max=1.0
    )
    async for attempt in retries:
        with attempt:
            return await _written(write, long)
    raise AssertionError("the last attempt raises")


async def _written(write: Callable[[], "Future[T]"], long: bool) -> T:
    return await asyncio.wrap_future(await in_thread(write) if long else write())


def _is_temporary(error: Exception) -> bool:
    return isinstance(error, Problem) and error.code.name == "unavailable"
