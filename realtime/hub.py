"""All rooms of one process: one subscription each, one receiver, one poll as the safety net."""

import asyncio
import logging
import time
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.conf import settings

from chatproject.lib import metrics
from chatproject.lib.crypto import CryptoError
from chatproject.lib.threads import in_thread
from conversations import selectors
from realtime import hints
from realtime.groups import group_of
from realtime.room import Room, RoomMember
from realtime.tasks import run_soon

log = logging.getLogger(__name__)

LAYER_SECONDS = 1.0
TICK_SECONDS = 1.0
_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> "Hub":
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


class Watched(Protocol):
    def check(self) -> None: ...


class Hub:
    """Hints wake rooms up; the poll finds what hints lost. Correctness never depends on a hint."""

    def __init__(self) -> None:
        self.rooms: dict[UUID, Room] = {}
        self.redis_away = False
        self._layer: Any = get_channel_layer()
        self._channel: str | None = None
        self._unsubscribed: set[UUID] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._watched: set[Watched] = set()

    async def enter(self, conversation: UUID) -> Room:
        """The room of a conversation, subscribed and at the head of its log. Raises Problem `not_found`."""
        self._start()
        room = self.rooms.get(conversation)
        if room is None:
            room = self.rooms[conversation] = Room(conversation)
            self._unsubscribed.add(conversation)
            await self._subscribe(conversation)
        try:
            await room.fill()
        except Exception:
            self.release(room)
            raise
        return room

    def join(self, room: Room, member: RoomMember) -> None:
        """Make somebody a member of a room that `enter` gave."""
        self.rooms.setdefault(room.conversation, room)
        room.members.add(member)

    def leave(self, room: Room, member: RoomMember) -> None:
        room.members.discard(member)
        self.release(room)

    def release(self, room: Room) -> None:
        """Forget a room in which nobody is any more."""
        if not room.members and self.rooms.get(room.conversation) is room:
            del self.rooms[room.conversation]
            self._unsubscribed.discard(room.conversation)
            run_soon(self._unsubscribe(room.conversation))

    def watch(self, one: "Watched") -> None:
        """Have `one.check()` called every second, until `unwatch`."""
        self._start()
        self._watched.add(one)

    def unwatch(self, one: "Watched") -> None:
        self._watched.discard(one)

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [run_soon(self._receive()), run_soon(self._poll()), run_soon(self._tick())]

    async def stop(self) -> None:
        """End everything that this hub started; its rooms are gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks, self.rooms = [], {}
        await self._layer.flush()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for one in list(self._watched):
                one.check()

    async def _subscribe(self, conversation: UUID) -> None:
        """Join the channel group; where Redis is away, the poll tries again and delivers meanwhile."""
        try:
            async with asyncio.timeout(LAYER_SECONDS):
                if self._channel is None:
                    self._channel = await self._layer.new_channel()
                await self._layer.group_add(group_of(conversation), self._channel)
            self._unsubscribed.discard(conversation)
        except Exception as error:
            self._note_redis(away=True, why=error)

    async def _unsubscribe(self, conversation: UUID) -> None:
        if conversation in self.rooms or self._channel is None:
            return
        try:
            async with asyncio.timeout(LAYER_SECONDS):
                await self._layer.group_discard(group_of(conversation), self._channel)
        except Exception as error:
            self._note_redis(away=True, why=error)

    async def _receive(self) -> None:
        while True:
            if self._channel is None:
                await asyncio.sleep(0.01)
                continue
            try:
                message = await self._layer.receive(self._channel)
                conversation, hint = hints.unpack(message)
            except (CryptoError, KeyError, ValueError) as error:
                log.warning("a hint could not be read (%s); the poll delivers", type(error).__name__)
                continue
            room = self.rooms.get(conversation)
            if room:
                room.offer(hint.items)
                metrics.sync_latency.observe(max(0.0, time.time() - hint.at))

    async def _poll(self) -> None:
        """Every POLL_MS (faster while Redis is away): do the rooms stand where the log stands?"""
        while True:
            await asyncio.sleep((settings.POLL_MS_WITHOUT_REDIS if self.redis_away else settings.POLL_MS) / 1000)
            try:
                await self._check_redis()
                await self._compare()
            except Exception as error:
                log.warning("the poll failed and is tried again: %s", type(error).__name__)

    async def _check_redis(self) -> None:
        try:
            async with asyncio.timeout(settings.HINT_TIMEOUT_MS / 1000):
                await self._layer.ping()
        except Exception as error:
            self._note_redis(away=True, why=error)
            return
        self._note_redis(away=False)
        for conversation in list(self._unsubscribed):
            await self._subscribe(conversation)

    async def _compare(self) -> None:
        rooms = {id_: room for id_, room in self.rooms.items() if room.loaded}
        if not rooms:
            return
        heads = await in_thread(selectors.heads, rooms)
        lengths = await in_thread(selectors.stored_lengths, rooms)
        for id_, (epoch, head) in heads.items():
            if epoch != rooms[id_].epoch or head > rooms[id_].head:
                rooms[id_].fill()
        for run, (id_, stored) in lengths.items():
            if stored > rooms[id_].lengths.get(str(run), 0):
                rooms[id_].fill()

    def _note_redis(self, *, away: bool, why: Exception | None = None) -> None:
        if away != self.redis_away:
            log.warning("Redis is %s%s", "away: polling fast" if away else "back", f" ({why!r})" if why else "")
        self.redis_away = away
