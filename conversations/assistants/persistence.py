"""Writing what a worker must not lose while the database is away for a moment."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import stamina
from django.conf import settings

from chatproject.lib.errors import Problem

T = TypeVar("T")


async def persistently(write: Callable[[], "Future[T]"]) -> T:
    """Try `write` until it is done or refused; it must be harmless to do twice.

    Raises the Problem that refused it, or `unavailable` where that lasts longer than a lease: by then others
    have taken the run over.
    """
    try:
        return await asyncio.wrap_future(write())
    except Problem as problem:
        if not _is_temporary(problem):
            raise
    retries = stamina.retry_context(
        on=_is_temporary, attempts=None, timeout=settings.LEASE_SECONDS, wait_initial=0.1, wait_max=1.0
    )
    async for attempt in retries:
        with attempt:
            return await asyncio.wrap_future(write())
    raise AssertionError("the last attempt raises")


def _is_temporary(error: Exception) -> bool:
    return isinstance(error, Problem) and error.code.name == "unavailable"
