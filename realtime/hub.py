"""All rooms of one process: one subscription each, one receiver, one poll as the safety net."""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from accounts.services import credentials
from accounts.services.users import display_names, seen_lately
from chatproject.lib import metrics
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.services import sessions
from realtime import acting, expiry, hints
from realtime.announcing import Announcer
from realtime.drain import Drain
from realtime.gate import Gate
from realtime.hearing import Hearing
from realtime.pace import Pace
from realtime.places import Places
from realtime.presence import Presence
from realtime.protocol import Close
from realtime.room import Room, RoomMember
from realtime.shards import Shards
from realtime.sharepoll import SharePoll
from realtime.streampoll import StreamPoll
from realtime.subscriptions import Subscriptions
from realtime.tasks import Landing, end, run_soon
from realtime.watched import Watched

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# How much further than to the last poll one looks back: writes take their time to commit.
OVERLAP = timedelta(seconds=5)
_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> "Hub":
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


class Hub:
    """Hints wake rooms up; the poll finds what hints lost. Correctness never depends on a hint."""

    def __init__(self) -> None:
        self.pace, self.landing, self.gate = Pace(), Landing(), Gate()
        self.places = Places()
        self.rooms: dict[UUID, Room] = {}
        # Where names are looked up just now.
        self._learning: set[UUID] = set()
        self._begin()
        self._tasks: list[asyncio.Task[None]] = []
        self._watched: set[Watched] = set()
        self._peak = 0
        self._polled = time.monotonic()
        self.drain = Drain(lambda: self._watched)

    def _begin(self) -> None:
        self.subscriptions = Subscriptions(lambda conversation: self.shards.lowest(conversation))
        self.shards = Shards(self.subscriptions.layer, self.subscriptions.look)
        self.presence = Presence(self._attendance_changed)
        self.hearing = Hearing(self.subscriptions, self._hear)
        self.streams = StreamPoll(self.subscriptions)
        self.shares, self.announcer = SharePoll(), Announcer()

    async def enter(self, conversation: UUID) -> Room:
        """The room of a conversation as `visit` gives it, and a seat there; `join` or `release` must follow.

        Raises Problem `not_found`, `room_full`.
        """
        self._start()
        await self.shards.reserve(conversation)
        try:
            return await self.visit(conversation)
        except BaseException:
            self.shards.cancel(conversation)
            raise

    async def visit(self, conversation: UUID) -> Room:
        """The room of a conversation, subscribed and at the head of its log, for a look; `go_away` must follow.

        Raises Problem `not_found`.
        """
        self._start()
        room = self.rooms.get(conversation)
        if room is None:
            room = self.rooms[conversation] = Room(conversation, self.pace)
        room.visitors += 1
        try:
            await self.subscriptions.want(conversation)
            await asyncio.shield(room.fill())
            if not self.subscriptions.away:
                await self.presence.read(conversation)
        except BaseException:
            self.go_away(room)
            raise
        return room

    def go_away(self, room: Room) -> None:
        """The end of `visit`."""
        room.visitors -= 1
        self._forget(room)

    def join(self, room: Room, member: RoomMember) -> int:
        """Make somebody a member of a room that `enter` gave; the number of the sub-room."""
        room.members.add(member)
        room.names[member.user_id] = member.user_name
        room.visitors -= 1
        self.presence.enter(room.conversation, member.user_id)
        return self.shards.sit(room.conversation, member)

    def release(self, room: Room) -> None:
        """Go away from a room that `enter` gave, and give the seat back."""
        self.shards.cancel(room.conversation)
        self.go_away(room)

    def leave(self, room: Room, member: RoomMember) -> None:
        """End a membership, once; the room may have put the member out before."""
        room.members.discard(member)
        member.left()
        self.presence.leave(room.conversation, member.user_id)
        self.shards.stand_up(room.conversation, member)
        self._forget(room)

    def online(self, room: Room) -> int:
        """How many users are there, in all processes."""
        return len(self.presence.online(room.conversation))

    def _forget(self, room: Room) -> None:
        if room.empty and self.rooms.get(room.conversation) is room:
            del self.rooms[room.conversation]
            self.subscriptions.drop(room.conversation)
            self.presence.forget(room.conversation)

    def watch(self, one: "Watched") -> None:
        """Have `one.check()` called every second, until `unwatch`."""
        self._start()
        self._watched.add(one)
        self._peak = max(self._peak, len(self._watched))
        metrics.connections_peak.set(self._peak)

    def unwatch(self, one: "Watched") -> None:
        self._watched.discard(one)
        if not self._watched:
            self.drain.empty.set()

    def _start(self) -> None:
        if not self._tasks:
            forever = (
                self.hearing.receive(),
                self._poll(),
                self._tick(),
                self.subscriptions.run(),
                self.subscriptions.watch(),
                self.presence.sweep(),
                self.shards.renew(),
                self._renew_sessions(),
            )
            self._tasks = [run_soon(one) for one in forever]
            self.hearing.begin()
            self.drain.on_signal()

    async def stop(self) -> None:
        """End everything that this hub started; its rooms are gone."""
        self.hearing.end()
        await end(self._tasks)
        self._tasks, self.rooms = [], {}
        await self.shards.stop()
        await self.subscriptions.layer.flush()
        await self.presence.stop()
        self.drain.begun = False
        self._begin()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            metrics.connections_open.set(len(self._watched))
            metrics.rooms_open.set(len(self.rooms))
            for one in list(self._watched):
                try:
                    one.check()
                except Exception:
                    log.exception("a connection could not be checked")

    def _hear(self, conversation: UUID, items: Sequence[hints.Item], at: float) -> None:
        """Take a hint, which was given at the time `at`."""
        self.streams.heard(conversation)
        room = self.rooms.get(conversation)
        if room:
            room.offer([item for item in items if not self.presence.heard(conversation, item)])
            metrics.sync_latency.observe(max(0.0, time.time() - at))

    def _attendance_changed(self, conversation: UUID) -> None:
        room = self.rooms.get(conversation)
        if room is None:
            return
        online = self.presence.online(conversation)
        if online <= room.names.keys():
            room.attended(online)
        elif conversation not in self._learning:
            self._learning.add(conversation)
            run_soon(self._learn_names(room, online))

    async def _learn_names(self, room: Room, online: frozenset[UUID]) -> None:
        """Those of other processes are looked up by name; who comes meanwhile, right after."""
        try:
            room.names |= await in_thread(display_names, online - room.names.keys())
        finally:
            self._learning.discard(room.conversation)
        self._attendance_changed(room.conversation)

    def _wonder_why(self, conversation: UUID) -> None:
        """A hint did not come: perhaps Redis lost how many sub-rooms there are, and all but the first are deaf."""
        if self.shards.lowest(conversation):
            self.shards.tell([conversation])

    async def _poll(self) -> None:
        """Every POLL_MS (faster while Redis is away): do the rooms stand where the log stands?"""
        while True:
            await self.subscriptions.pause()
            begun = time.monotonic()
            age = OVERLAP + timedelta(seconds=begun - self._polled)
            try:
                await self._compare(age)
                await self._shut_out(age)
                self._polled = begun
                await self.shares.look()
                await self.streams.look()
                await self.announcer.look(self.rooms)
            except Exception as error:
                log.warning("the poll failed and is tried again: %s", type(error).__name__)

    def _offer_registers(self, frames: list[dict[str, Any]]) -> None:
        for frame in frames:
            room = self.rooms.get(UUID(frame["conversation"]))
            if room:
                room.offer([hints.item_of(frame)])

    async def _shut_out(self, age: timedelta) -> None:
        """End the connections whose logins do not live any more, or whose sessions were ended lately."""
        held = [(one, one.tenure.login) for one in self._watched if one.tenure]
        if not held:
            return
        living = await in_thread(credentials.living, {login for _, login in held})
        open_ = [one.session_id for one, _ in held if one.session_id]
        ended = await in_thread(selectors.sessions_ended_within, age, open_)
        for one, login in held:
            shown = one.tenure and one.tenure.login == login  # or another one since
            over = ended.get(one.session_id) if one.session_id else None
            if over and one.session_id:
                one.send(expiry.put_out(one.session_id, over.reason, over.language))
            if over or (shown and login not in living):
                one.close(Close.NOT_AUTHENTICATED)

    async def _renew_sessions(self) -> None:
        while True:
            await asyncio.sleep(settings.SESSION_RENEW_SECONDS)
            ids = [one.session_id for one in self._watched if one.session_id]
            held = {one.tenure.login for one in self._watched if one.tenure}
            try:
                await in_thread(sessions.renew, ids)
                await in_thread(credentials.note_uses, held)
                await in_thread(seen_lately, acting.take(self._watched))
                await self.places.renew()
            except Exception as error:
                log.warning("sessions could not be renewed: %s", type(error).__name__)

    async def _compare(self, age: timedelta) -> None:
        rooms = {id_: room for id_, room in self.rooms.items() if room.loaded}
        if not rooms:
            return
        heads = await in_thread(selectors.heads, rooms)
        lengths = await in_thread(selectors.stored_lengths, rooms)
        self._offer_registers(await in_thread(selectors.states_within, rooms, age))
        for id_, (epoch, head) in heads.items():
            if epoch != rooms[id_].epoch or head > rooms[id_].head:
                rooms[id_].fill()
                self._wonder_why(id_)
        for run, (id_, stored) in lengths.items():
            if stored > rooms[id_].lengths.get(str(run), 0):
                rooms[id_].fill()
