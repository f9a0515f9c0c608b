"""Redis for what may be forgotten at any moment. Away or hung, it costs nobody more than a short wait once in a
while, and never an error."""

import secrets
from functools import cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatproject.lib.pausing import Pause


class Volatile:
    """Keys with a time to live, always."""

    def __init__(self, url: str, timeout: float) -> None:
        self._client = Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
        self._pause = Pause("Redis caches nothing")

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

    def tally(self, key: str, field: str, value: bytes, seconds: int) -> dict[bytes, bytes]:
        """Set one field of a hash, and give all of them; nothing where Redis is away."""
        pipe = self._client.pipeline()
        pipe.hset(key, field, value)
        pipe.expire(key, seconds)
        pipe.hgetall(key)
        found = self._pause.attempt(pipe.execute)
        return found[-1] if found else {}

    def tallied(self, key: str) -> dict[bytes, bytes]:
        """All fields of such a hash; nothing where Redis is away."""
        found: Any = self._pause.attempt(lambda: self._client.hgetall(key))
        return found or {}

    def look(self, key: str) -> bytes | None:
        """Like `get`, but empty where nothing is there: None means that Redis is away."""
        found: Any = self._pause.attempt(lambda: self._client.get(key) or b"")
        return found if isinstance(found, bytes) else None

    def count(self, keys: list[str], field: str, seconds: int) -> list[dict[bytes, bytes]] | None:
        """Add one to a field of the hash that is the first of `keys`, and give all of them; None: Redis is away."""
        pipe = self._client.pipeline()
        pipe.hincrby(keys[0], field, 1)
        pipe.expire(keys[0], seconds)
        for key in keys:
            pipe.hgetall(key)
        found: Any = self._pause.attempt(pipe.execute)
        return found[2:] if found else None

    def _do(self, *command: str | bytes | int) -> object:
        return self._pause.attempt(lambda: self._client.execute_command(*command))


@cache
def volatile() -> Volatile:
    """The Redis of REDIS_URL, for this process."""
    return Volatile(settings.REDIS_URL, settings.HINT_TIMEOUT_MS / 1000)
