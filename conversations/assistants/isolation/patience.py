"""Asking a provider again: what failed before it gave anything, a few times; a 429 when its Retry-After is over."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina

from chatproject.lib import clock, metrics
from conversations.assistants.base import AssistantError, Throttled, Transient
from conversations.assistants.isolation import calls
from conversations.assistants.isolation.calls import Call

T = TypeVar("T")

# Until when nobody asks an assistant's provider, because it said so to one of us.
_closed_until: dict[str, float] = {}
_spread = random.SystemRandom()
# Where a provider says no time.
USUAL_SECONDS = 1.0


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` gives, made again where it raised Transient or Throttled; it must raise neither once it has given
    something away.

    Raises what it raised last; AssistantError `provider_busy` where the provider refuses for longer than we wait.
    """
    call = calls.current()
    if call is None:
        return await attempt()
    retries = stamina.retry_context(
        on=Transient, attempts=call.limits.attempts, timeout=None, wait_initial=0.2, wait_max=2.0
    )
    async for trial in retries:
        if trial.num > 1:
            metrics.provider_retries.labels(call.name, "failed").inc()
            await call.degraded("retrying")
        with trial:
            return await _when_allowed(attempt, call)
    raise AssertionError("the last attempt raises")


async def _when_allowed(attempt: Callable[[], Awaitable[T]], call: Call) -> T:
    last = time.monotonic() + call.limits.throttle_seconds
    while True:
        await _wait_until(_closed_until.get(call.name, 0.0), last, call)
        try:
            return await attempt()
        except Throttled as told:
            metrics.provider_retries.labels(call.name, "throttled").inc()
            _closed_until[call.name] = time.monotonic() + (told.retry_after or USUAL_SECONDS)


async def _wait_until(moment: float, last: float, call: Call) -> None:
    """Wait, and not all to the same moment."""
    now = time.monotonic()
    if moment <= now:
        return
    if moment > last:
        raise AssistantError("provider_busy", "The model's provider has too much to do; try again later.")
    spread = _spread.uniform(0, min(1.0, moment - now))
    await call.degraded("rate_limited")
    with call.waiting():
        await asyncio.sleep(moment - now + spread)


def retry_after(header: str | None) -> float:
    """The seconds of a Retry-After, which is a number or a date; 0 where there is none."""
    if not header:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0
