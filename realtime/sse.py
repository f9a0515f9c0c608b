"""The log as server-sent events: the same cursor and the same JSON as on a socket (PROTOCOL.md section 5)."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import partial, wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from accounts.identities import Identity
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.cursors import Cursor
from conversations.services import sessions
from conversations.services.sessions import Visit
from realtime.batches import Batch
from realtime.deltas import delta_frames
from realtime.held import HeldStream
from realtime.hints import Item, item_of
from realtime.hub import hub
from realtime.room import Room
from realtime.shards import is_full, room_full
from realtime.streamed import COMMENT, RETRY, event_bytes, explained
from realtime.tasks import run_soon

P = ParamSpec("P")
Made = Callable[Concatenate[Identity, P], AsyncGenerator[bytes, None]]
Seated = Callable[Concatenate[Identity, P], AsyncIterator[bytes]]


def stream(identity: Identity, conversation: UUID, cursor: Cursor, until: str | None) -> AsyncIterator[bytes]:
    """What follows `cursor`, then live; ends with the membership, the login, or the event or run `until`.

    A stream is a connection like a socket. Called outside the event loop. Raises Problem `room_full`.
    """
    if settings.ROOM_LIMIT and async_to_sync(is_full)(get_channel_layer(), conversation):
        raise room_full()
    return _stream(identity, conversation, cursor, until)


def seated(make: Made[P]) -> Seated[P]:
    """A stream is one of the connections that a user may have; an `error` where it is one too many, or fails."""

    @explained
    @wraps(make)
    async def stream(identity: Identity, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[bytes, None]:
        places = hub().places
        try:
            await places.take(identity.user.id)
            async with aclosing(make(identity, *args, **kwargs)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            places.leave(identity.user.id)

    return stream


@seated
async def _stream(
    identity: Identity, conversation: UUID, cursor: Cursor, until: str | None
) -> AsyncGenerator[bytes, None]:
    room = await hub().enter(conversation)
    try:
        arrival = await asyncio.wrap_future(sessions.arrive(Visit(identity.user.id, "sse", "")))
    except BaseException:
        hub().release(room)
        raise
    member = StreamMember(identity, room, cursor.seq, arrival.session)
    hub().join(room, member)
    hub().watch(member)
    try:
        # Whoever was removed before this stream took part in the room is not told by the room.
        if await in_thread(selectors.role_of, member.user_id, conversation) is None:
            return
        yield RETRY
        async for item in _items(member):
            yield render(item, room.epoch)
            if until and _ends(item, until):
                return
    finally:
        hub().unwatch(member)
        hub().leave(room, member)
        run_soon(in_thread(partial(sessions.end, session=arrival.session)))


class StreamMember(HeldStream):
    """Gathers batches while the client reads; where it is too slow they are dropped and read from the log."""

    def __init__(self, identity: Identity, room: Room, seq: int, session_id: UUID) -> None:
        super().__init__(identity, session_id)
        self.user_name = identity.user.display_name
        self.role = ""
        self.room = room
        self.seq = seq
        self.behind = True
        self.gone = False
        self.waiting: deque[Item] = deque()
        self.size = 0

    def deliver(self, batch: Batch) -> None:
        if not self.behind:
            self.waiting.extend(batch.items)
            self.size += batch.size
            if self.size > settings.BATCH_MAX_BYTES:
                self.drop()
        self.wake.set()

    def forget(self) -> None:
        self.waiting.clear()
        self.size = 0

    def removed(self, reason: str) -> None:
        self.gone = True
        self.wake.set()

    def left(self) -> None:
        """Nothing is told of it but presence."""

    def close(self, code: int) -> None:
        self.removed("closed")

    def drain(self, seconds: float) -> None:
        """End the stream after a while: its client comes back by itself, with the last id."""
        asyncio.get_running_loop().call_later(seconds, self.removed, "closed")

    def taken(self) -> Iterator[Item]:
        """What waits, one by one."""
        yield from self.aside()
        while self.waiting:
            item = self.waiting.popleft()
            if not self.waiting:
                self.size = 0
            self.seq = max(self.seq, item.seq)
            yield item

    def drop(self) -> None:
        self.forget()
        self.behind = True


async def _items(member: StreamMember) -> AsyncIterator[Item | None]:
    """Frames in order, each event once; None when it is time for a sign of life."""
    while not member.gone:
        if member.behind:
            async for item in _catch_up(member):
                yield item
        for item in member.taken():
            yield item
        member.wake.clear()
        if not (member.waiting or member.behind or member.gone) and not await _woken(member):
            yield None
    for item in member.taken():
        yield item


async def _catch_up(member: StreamMember) -> AsyncIterator[Item]:
    room = member.room
    while member.seq < room.head:
        for item in await room.after(member.seq):
            if member.gone:
                return
            member.seq = item.seq
            yield item
    answers = await room.running()
    if member.seq >= room.head:
        room.flush()
        member.behind = False
        for answer in answers:
            for frame in delta_frames(room.conversation, answer, 0):
                yield item_of(frame)


async def _woken(member: StreamMember) -> bool:
    try:
        async with asyncio.timeout(settings.SSE_COMMENT_SECONDS):
            await member.wake.wait()
    except TimeoutError:
        return False
    return True


def render(item: Item | None, epoch: str) -> bytes:
    """One server-sent event; only those of the log have an id."""
    if item is None:
        return COMMENT
    return event_bytes(item, f"{epoch}:{item.seq}" if item.seq else "")


def _ends(item: Item | None, until: str) -> bool:
    if item is None or not item.seq:
        return False
    return json.loads(item.text)["id"] == until or (item.type == "run:end" and item.run == until)
