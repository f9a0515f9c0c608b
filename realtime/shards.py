"""Sub-rooms: at most ROOM_SIZE connections share a channel group (PROTOCOL.md section 4, "Rooms").

Each process tells Redis how many seats it holds in which sub-rooms of a conversation, and how many more it wants;
one script gives them out, so that no sub-room gets too many whoever asks. Telling all of it every time makes
joining, leaving, renewing and what comes after a loss of Redis the same thing (docs/decisions/0014-sub-rooms.md).
All sub-rooms have one log, one order and one presence. Without Redis each process counts its own connections.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from redis import RedisError

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from realtime.groups import RoomLayer, evaluate, rooms_key
from realtime.seats import Seats
from realtime.tasks import run_soon

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.25
# How long Redis is not asked after it did not answer.
PAUSE_SECONDS = 1.0
# Conversations that are told of at once.
AT_ONCE = 200
# A process renews its seats so many times in the life of a seat.
RENEWALS = 3
# A conversation is a hash: `<sub-room>|<process>` -> `<seats>|<until, ms>`, and `rooms` -> how many sub-rooms.
# KEYS: conversations. ARGV: process, milliseconds that seats live, size, limit (0 = none), then for each
# conversation the seats that are wanted and pairs of a sub-room and the seats held there, separated by blanks.
# Gives for each how many of the wanted seats were granted, and pairs of a sub-room and the seats now held.
# What others have taken meanwhile (seats of a process that did not renew them) is given back elsewhere.
TELL = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local process, size, limit = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local ends = string.format('%.0f', now + ARGV[2])

local function seats_of_others(key)
    local taken, entries = {}, redis.call('HGETALL', key)
    for i = 1, #entries, 2 do
        local shard, who = string.match(entries[i], '^(%d+)|(.+)$')
        local seats, till = string.match(entries[i + 1], '^(%d+)|(%d+)$')
        if shard and seats and who ~= process and tonumber(till) > now then
            taken[tonumber(shard)] = (taken[tonumber(shard)] or 0) + seats
        elseif entries[i] ~= 'rooms' then
            redis.call('HDEL', key, entries[i])
        end
    end
    return taken
end

local function give_out(taken, numbers)
    local total, mine, homeless = 0, {}, 0
    for _, seats in pairs(taken) do total = total + seats end
    for i = 2, #numbers, 2 do
        local fit = math.max(0, math.min(numbers[i + 1], size - (taken[numbers[i]] or 0)))
        mine[numbers[i]] = fit
        homeless = homeless + numbers[i + 1] - fit
        total = total + numbers[i + 1]
    end
    local granted = numbers[1]
    if limit > 0 then granted = math.max(0, math.min(granted, limit - total)) end
    local shard, left = 0, homeless + granted
    while left > 0 do
        local fit = math.max(0, math.min(left, size - (taken[shard] or 0) - (mine[shard] or 0)))
        if fit > 0 then mine[shard] = (mine[shard] or 0) + fit end
        left, shard = left - fit, shard + 1
    end
    return granted, mine
end

local answers = {}
for i, key in ipairs(KEYS) do
    local numbers = {}
    for number in string.gmatch(ARGV[4 + i], '%d+') do numbers[#numbers + 1] = tonumber(number) end
    local taken = seats_of_others(key)
    local granted, mine = give_out(taken, numbers)
    local answer, rooms = {granted}, 0
    for shard, seats in pairs(taken) do rooms = math.max(rooms, shard + 1) end
    for shard, seats in pairs(mine) do
        if seats > 0 then
            rooms = math.max(rooms, shard + 1)
            redis.call('HSET', key, shard .. '|' .. process, seats .. '|' .. ends)
            answer[#answer + 1] = shard
            answer[#answer + 1] = seats
        end
    end
    if rooms > 0 then
        redis.call('HSET', key, 'rooms', rooms)
        redis.call('PEXPIRE', key, ARGV[2])
    else
        redis.call('DEL', key)
    end
    answers[i] = answer
end
return answers
"""


class Shards:
    """The seats of one process. `changed(conversations)` is called whenever their seats may be others."""

    def __init__(self, layer: RoomLayer, changed: Callable[[Iterable[UUID]], None]) -> None:
        self._process = new_id().hex[-12:]
        self._layer = layer
        self._changed = changed
        self._seats: dict[UUID, Seats] = {}
        self._untold: set[UUID] = set()
        self._telling: asyncio.Task[None] | None = None
        self._silent_until = 0.0

    def lowest(self, conversation: UUID) -> int | None:
        """The sub-room in whose group this process listens; one is enough, all of them are told the same."""
        seats = self._seats.get(conversation)
        return seats.lowest if seats else None

    async def reserve(self, conversation: UUID) -> None:
        """Reserve a seat; `sit` or `cancel` must follow. Raises Problem `room_full` where ROOM_LIMIT is reached."""
        seats = self._seats.setdefault(conversation, Seats())
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        seats.asking.append(answer)
        self.tell([conversation])
        try:
            granted = await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.result():
                self.cancel(conversation)
            raise
        if not granted:
            raise room_full()

    def sit(self, conversation: UUID, member: object) -> int:
        """Give a reserved seat to a connection; its sub-room."""
        return self._seats[conversation].sit(member)

    def cancel(self, conversation: UUID) -> None:
        """Give a reserved seat back."""
        self._seats[conversation].cancel()
        self.tell([conversation])

    def stand_up(self, conversation: UUID, member: object) -> None:
        """Give the seat of a connection back."""
        self._seats[conversation].stand_up(member)
        self.tell([conversation])

    def tell(self, conversations: Iterable[UUID]) -> None:
        """Tell Redis soon what is held and wanted; what changes meanwhile goes with the next round trip."""
        self._untold.update(conversations)
        if self._telling is None and self._untold:
            self._telling = run_soon(self._tell())

    async def renew(self) -> None:
        """Keep the seats of this process, and put them back where Redis lost them; for ever."""
        while True:
            await asyncio.sleep(settings.ROOM_SEAT_SECONDS / RENEWALS)
            self.tell(self._seats)

    async def stop(self) -> None:
        """Wait until Redis knows that everybody has gone, or does not answer."""
        if self._telling:
            await asyncio.wait([self._telling])

    async def _tell(self) -> None:
        try:
            while self._untold:
                some = [self._untold.pop() for _ in range(min(AT_ONCE, len(self._untold)))]
                await self._settle([conversation for conversation in some if conversation in self._seats])
        finally:
            self._telling = None

    async def _settle(self, conversations: Sequence[UUID]) -> None:
        asking = {id_: tuple(self._seats[id_].asking) for id_ in conversations}
        try:
            answers = await self._ask(conversations)
        except Exception as error:  # whatever Redis holds or does, nobody waits for ever
            log.info("seats are counted here alone (%s)", type(error).__name__)
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            answers = {}
        for id_, waiting in asking.items():
            if id_ in answers:
                self._take_over(id_, waiting, answers[id_])
            else:
                self._reserve_here(self._seats[id_], waiting)
            if self._seats[id_].empty and id_ not in self._untold:
                del self._seats[id_]
        self._changed(conversations)

    async def _ask(self, conversations: Iterable[UUID]) -> dict[UUID, list[int]]:
        """The answers of TELL, from each of the Redis servers. Raises RedisError, TimeoutError."""
        if time.monotonic() < self._silent_until:
            return {}
        by_server: dict[Any, list[UUID]] = {}
        for id_ in conversations:
            by_server.setdefault(self._layer.server_of(id_), []).append(id_)
        answers: dict[UUID, list[int]] = {}
        life = int(settings.ROOM_SEAT_SECONDS * 1000)
        for server, ids in by_server.items():
            arguments = [self._process, life, settings.ROOM_SIZE, settings.ROOM_LIMIT, *map(self._statement, ids)]
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await evaluate(server, TELL, [rooms_key(id_) for id_ in ids], arguments)
            answers |= dict(zip(ids, found, strict=True))
        return answers

    def _statement(self, conversation: UUID) -> str:
        seats = self._seats[conversation]
        pairs = [number for pair in (+seats.held).items() for number in pair]
        return " ".join(map(str, [len(seats.asking), *pairs]))

    def _take_over(self, conversation: UUID, waiting: Sequence["asyncio.Future[bool]"], answer: list[int]) -> None:
        seats, granted = self._seats[conversation], answer[0]
        for number, one in enumerate(waiting):
            seats.asking.popleft()
            if not one.cancelled():
                seats.reserved += number < granted
                one.set_result(number < granted)
        if seats.take_over(Counter(dict(zip(answer[1::2], answer[2::2], strict=True)))):
            self.tell([conversation])

    def _reserve_here(self, seats: Seats, waiting: Sequence["asyncio.Future[bool]"]) -> None:
        for one in waiting:
            seats.asking.popleft()
            if one.cancelled():
                continue
            free = not settings.ROOM_LIMIT or seats.held.total() < settings.ROOM_LIMIT
            if free:
                seats.reserve_here(settings.ROOM_SIZE)
            one.set_result(free)


def room_full() -> Problem:
    return Problem("room_full", f"This room takes {settings.ROOM_LIMIT} connections.", retry_after_ms=10_000)


async def is_full(layer: Any, conversation: UUID) -> bool:
    """Whether ROOM_LIMIT is reached, as far as Redis knows; for who can only be refused before he comes in."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            entries = await layer.server_of(conversation).hgetall(rooms_key(conversation))
    except (RedisError, OSError):
        return False
    now = time.time() * 1000
    held = [tuple(map(int, value.split(b"|"))) for field, value in entries.items() if b"|" in field]
    return sum(count for count, ends in held if ends > now) >= settings.ROOM_LIMIT
