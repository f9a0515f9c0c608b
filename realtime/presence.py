"""Who is in a conversation, over all processes and connections: one sorted set per room in Redis.

Every process puts its own users in, with the time until which they count, and reads who else is there. What
members are told is the difference to what they were told before: a lost hint, a dead process or an empty
Redis is mended by the next sweep, and nobody is told anything twice.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from redis import asyncio as redis

from chatproject.lib.ids import new_id
from realtime import broadcast
from realtime.hints import Item
from realtime.tasks import end, run_soon

log = logging.getLogger(__name__)

# Between a change and its way to Redis: changes that come together travel together. Where that takes
# long, because many come, the next wait so many times as long.
GATHER_SECONDS, REST, LONGEST_REST_SECONDS = 0.02, 5, 0.5
PATIENCE_SECONDS = 0.5
# Tells other processes that somebody came or went; no client sees it.
HINT = "hub.presence"
# Forgets those whose time is over and those who left, renews ours, gives everybody, by the clock of Redis.
# ARGV: milliseconds to live, how many left, those who left, those who are here; each `user|process`.
SYNCHRONISE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for i = 3, #ARGV do
    if i <= 2 + ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[i])
    else redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""


@dataclass
class Visitor:
    """A user in a room of this process; `leaving` runs once the last of the connections is gone."""

    connections: int = 0
    leaving: asyncio.TimerHandle | None = None


class Presence:
    """`changed(conversation)` is called whenever `online` may have changed."""

    def __init__(self, changed: Callable[[UUID], None]) -> None:
        self._process = new_id().hex[-12:]
        self._changed = changed
        self._redis = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
        self._synchronise = self._redis.register_script(SYNCHRONISE)
        self._here: dict[UUID, dict[UUID, Visitor]] = {}
        # Users of other processes as last read, and until when that is believed without Redis.
        self._elsewhere: dict[UUID, tuple[frozenset[UUID], float]] = {}
        self._left: dict[UUID, set[UUID]] = {}
        self._looks: set[UUID] = set()
        self._gathering: asyncio.Task[None] | None = None
        self._rest = 0.0

    def online(self, conversation: UUID) -> frozenset[UUID]:
        """Everybody who is there, as far as this process knows."""
        elsewhere, until = self._elsewhere.get(conversation, (frozenset[UUID](), 0.0))
        here = frozenset(self._here.get(conversation, ()))
        return here | elsewhere if time.monotonic() < until else here

    def enter(self, conversation: UUID, user: UUID) -> None:
        """One more connection of `user`."""
        visitor = self._here.setdefault(conversation, {}).setdefault(user, Visitor())
        visitor.connections += 1
        if visitor.leaving:
            visitor.leaving.cancel()
            visitor.leaving = None
        elif visitor.connections == 1:
            self._note(conversation, ())

    def leave(self, conversation: UUID, user: UUID) -> None:
        """One connection less; whoever is back within PRESENCE_GRACE_MS was never gone."""
        visitor = self._here[conversation][user]
        visitor.connections -= 1
        if not visitor.connections:
            delay = settings.PRESENCE_GRACE_MS / 1000
            visitor.leaving = asyncio.get_running_loop().call_later(delay, self._gone, conversation, user)

    def heard(self, conversation: UUID, item: Item) -> bool:
        """Whether `item` only tells processes that somebody came or went elsewhere; then this one looks."""
        if item.type == HINT and json.loads(item.text)["process"] != self._process:
            self._looks.add(conversation)
            self._gather_soon()
        return item.type == HINT

    def forget(self, conversation: UUID) -> None:
        """Nobody here looks at this room any more."""
        self._elsewhere.pop(conversation, None)

    async def read(self, conversation: UUID) -> None:
        """Know who is there now, where Redis answers in time."""
        if conversation not in self._elsewhere:
            await self._exchange([conversation], {})

    async def sweep(self) -> None:
        """Every PRESENCE_SWEEP_MS: renew what is ours, see who has gone; for ever."""
        while True:
            await asyncio.sleep(settings.PRESENCE_SWEEP_MS / 1000)
            await self._exchange({*self._here, *self._elsewhere}, {})

    async def stop(self) -> None:
        """End what was begun."""
        leaving = [visitor.leaving for room in self._here.values() for visitor in room.values() if visitor.leaving]
        for timer in leaving:
            timer.cancel()
        await end([self._gathering] if self._gathering else [])
        await self._redis.aclose()

    def _gone(self, conversation: UUID, user: UUID) -> None:
        visitors = self._here[conversation]
        del visitors[user]
        if not visitors:
            del self._here[conversation]
        self._note(conversation, (user,))

    def _note(self, conversation: UUID, left: Iterable[UUID]) -> None:
        self._changed(conversation)
        self._left.setdefault(conversation, set()).update(left)
        self._gather_soon()

    def _gather_soon(self) -> None:
        if self._gathering is None:
            self._gathering = run_soon(self._gather())

    async def _gather(self) -> None:
        await asyncio.sleep(max(GATHER_SECONDS, self._rest))
        left, looks, self._left, self._looks, self._gathering = self._left, self._looks, {}, set(), None
        begun = time.monotonic()
        await self._exchange({*left, *looks}, left)
        self._rest = min(REST * (time.monotonic() - begun), LONGEST_REST_SECONDS)
        hint = {"type": HINT, "process": self._process}
        broadcast.publish({conversation: [hint] for conversation in left})

    async def _exchange(self, conversations: Iterable[UUID], left: dict[UUID, set[UUID]]) -> None:
        """Put in what is ours and take what is everybody's, in one round trip; nothing where Redis is away."""
        rooms = list(conversations)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._redis.pipeline(transaction=False) as pipeline:
                for room in rooms:
                    await self._synchronise([_key(room)], self._arguments(room, left.get(room, ())), client=pipeline)
                found = await pipeline.execute()
        except (redis.RedisError, OSError) as error:
            log.info("presence is not exchanged (%s)", type(error).__name__)
            found = []
        for room, entries in zip(rooms, found, strict=False):
            self._learn(room, entries)
        for room in rooms:
            self._changed(room)

    def _arguments(self, conversation: UUID, left: Iterable[UUID]) -> list[str | int]:
        here = self._here.get(conversation, {})
        gone = [self._entry(user) for user in left if user not in here]
        return [settings.PRESENCE_SECONDS * 1000, len(gone), *gone, *map(self._entry, here)]

    def _entry(self, user: UUID) -> str:
        return f"{user.hex}|{self._process}"

    def _learn(self, conversation: UUID, entries: Iterable[str]) -> None:
        split = [entry.split("|") for entry in entries]
        others = frozenset(UUID(user) for user, process in split if process != self._process)
        self._elsewhere[conversation] = others, time.monotonic() + settings.PRESENCE_SECONDS


def _key(conversation: UUID) -> str:
    return f"presence:{conversation.hex}"
