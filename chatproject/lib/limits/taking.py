"""Asking whether somebody may do something once more."""

import time
from collections.abc import Hashable

from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from chatproject.lib.limits.settling import settle_soon
from chatproject.lib.limits.shared import shared
from chatproject.lib.limits.table import LIMITS, SHARE, Limit, Standing
from chatproject.lib.limits.windows import Window


class RateLimited(Problem):
    """`rate_limited`, and how somebody stands."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        super().__init__("rate_limited", retry_after_ms=max(1, round(standing.reset * 1000)))


def take(name: str, key: Hashable) -> Standing | None:
    """Count that `key` (a user, an address, a conversation) does once more what `name` stands for in the table.

    None where there is no limit. Raises RateLimited. Waits for Redis where the limit is exact (HINT_TIMEOUT_MS at
    most): not to be called with those in an event loop.
    """
    limit = LIMITS[name]
    amount = limit.amount
    if not amount:
        return None
    now = time.monotonic()
    with limit.lock:
        window = limit.windows.of(key, now)
        wait = window.take(now, amount, limit.seconds)
        if not (wait or limit.exact or window.settling) and window.debt * SHARE >= amount:
            window.settling = True
            settle_soon(limit, key, window)
    if limit.exact and not wait:
        wait = _ask(limit, key, amount, window)
    if wait:
        metrics.rate_limited.labels(name).inc()
        raise RateLimited(Standing(name, amount, limit.seconds, 0, wait))
    oldest = window.times[0] if window.times else now
    return Standing(name, amount, limit.seconds, amount - len(window.times), oldest + limit.seconds - now)


def _ask(limit: Limit, key: Hashable, amount: int, window: Window) -> float:
    """Count once for all processes; the seconds to wait where that is too many."""
    wait = shared().hit(limit, key, amount, 1) or 0.0
    with limit.lock:
        window.debt = 0
        if wait:
            window.blocked_until = time.monotonic() + wait
            if window.times:
                window.times.pop()  # nothing was done
    return wait
