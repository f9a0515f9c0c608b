"""Counting over all processes: the `limits` library's moving window in Redis. Away or hung, it is left alone, and
every process counts for itself."""

import time
from collections.abc import Hashable
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatproject.lib.limits.table import Limit
from chatproject.lib.pausing import Pause


class Shared:
    """`hit` counts for everybody."""

    def __init__(self, url: str, timeout: float) -> None:
        wait = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        pool = ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), **wait)
        self._limiter = MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix="limit"))
        self._pause = Pause("Limits are counted by every process for itself")

    def hit(self, limit: Limit, key: Hashable, amount: int, cost: int) -> float | None:
        """Count `cost` more; the seconds to wait where that is too many (0: it is not), None where Redis is away."""
        item = RateLimitItemPerSecond(amount, limit.seconds, limit.name)
        return self._pause.attempt(lambda: self._hit(item, str(key), min(cost, amount)))

    def _hit(self, item: RateLimitItem, key: str, cost: int) -> float:
        if self._limiter.hit(item, key, cost=cost):
            return 0.0
        # The end of the window is by the clock of whoever wrote its first entry, which may differ from ours.
        reset = self._limiter.get_window_stats(item, key).reset_time - time.time()
        return min(max(reset, 0.01), item.get_expiry())


@cache
def shared() -> Shared:
    """Those of REDIS_URL."""
    return Shared(settings.REDIS_URL, settings.HINT_TIMEOUT_MS / 1000)
