"""Redis for what may be forgotten at any moment. Away or hung, it costs nobody more than a short wait once in a
while, and never an error."""

import logging
import secrets
import time
from functools import cache

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

# Seconds without Redis after a command that failed; then one caller tries again.
PAUSE_SECONDS = 5.0


class Volatile:
    """Keys with a time to live, always."""

    def __init__(self, url: str, timeout: float) -> None:
        self._client = Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
        self._paused_until = 0.0

    def get(self, key: str) -> bytes | None:
        """None also where Redis is away."""
        found = self._do("GET", key)
        return found if isinstance(found, bytes) else None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        self._do("SET", key, value, "EX", seconds)

    def claim(self, key: str, seconds: int) -> bool:
        """Whether nobody claimed a key in the last `seconds`; also where Redis is away and nobody can tell."""
        mine = secrets.token_bytes(16)
        self._do("SET", key, mine, "NX", "EX", seconds)
        return self.get(key) in (mine, None)

    def keep(self, key: str, seconds: int) -> None:
        """Have a key live for so long from now on."""
        self._do("EXPIRE", key, seconds)

    def drop(self, key: str) -> None:
        self._do("DEL", key)

    def _do(self, *command: str | bytes | int) -> object:
        before = self._paused_until
        now = time.monotonic()
        if now < before:
            return None
        # Whoever comes while this one tries does not wait for Redis too, if it failed before.
        self._paused_until = now + PAUSE_SECONDS if before else 0.0
        try:
            answer: object = self._client.execute_command(*command)
        except (RedisError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("Redis caches nothing for %s s (%s)", PAUSE_SECONDS, type(error).__name__)
            return None
        self._paused_until = 0.0
        return answer


@cache
def volatile() -> Volatile:
    """The Redis of REDIS_URL, for this process."""
    return Volatile(settings.REDIS_URL, settings.HINT_TIMEOUT_MS / 1000)
