"""How many sockets and streams each user has open, in this process and, of those who have many, in the others."""

import time
from collections import Counter
from collections.abc import Collection
from uuid import UUID

from django.conf import settings

from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from chatproject.lib.volatile import volatile
from realtime.tasks import run_soon

# Who has less than such a part of their sockets in one process is not worth a word to the others.
PART = 20
# Seconds that a number counts which a process told; it is told again at every renewal of sessions.
KEPT_SECONDS = 90
RETRY_MS = 5000


class Places:
    """The sockets of one event loop, by user."""

    def __init__(self) -> None:
        self._process = new_id().hex[-12:]
        self._here: Counter[UUID] = Counter()

    async def take(self, user: UUID) -> None:
        """One socket more, until `leave` in any case. Raises Problem `rate_limited` where that is one too many."""
        self._here[user] += 1
        others = await in_thread(self._tell, user) if self._has_many(user) else 0
        if settings.LIMITS_APPLY and 0 < settings.SOCKETS_PER_USER < self._here[user] + others:
            metrics.rate_limited.labels("sockets").inc()
            raise Problem("rate_limited", "Too many connections are open.", retry_after_ms=RETRY_MS)

    def leave(self, user: UUID) -> None:
        """A socket is closed."""
        if self._has_many(user):
            run_soon(self._told([user]))
        self._here[user] -= 1
        if not self._here[user]:
            del self._here[user]

    async def renew(self) -> None:
        """Tell the others again who has many here."""
        await self._told([user for user in self._here if self._has_many(user)])

    async def _told(self, users: Collection[UUID]) -> None:
        for user in users:
            await in_thread(self._tell, user)

    def _has_many(self, user: UUID) -> bool:
        return self._here[user] * PART >= settings.SOCKETS_PER_USER > 0

    def _tell(self, user: UUID) -> int:
        """Tell the others how many are here; how many they have. None are known while Redis is away."""
        now = int(time.time())
        mine = f"{self._here[user]} {now + KEPT_SECONDS}".encode()
        told = volatile().tally(f"sockets:{user}", self._process, mine, KEPT_SECONDS)
        others = [value.split() for process, value in told.items() if process != self._process.encode()]
        return sum(int(count) for count, until in others if int(until) > now)
