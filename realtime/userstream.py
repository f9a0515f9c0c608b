"""All conversations of a user as one stream of server-sent events (PROTOCOL.md section 5).

Where something happens the stream listens to the room; everything else it finds by looking (streampoll.py). What
it gives out is noted in its cursor, event by event, and so nothing is given twice or left out, wherever it came from
and wherever the stream is cut (conversations/streamcursors.py).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from django.conf import settings

from accounts.identities import Identity
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.event_types import is_erased
from conversations.selectors import Change, Look
from conversations.services import sessions
from conversations.services.sessions import Visit
from conversations.streamcursors import StreamCursor
from realtime.backlog import Backlog
from realtime.batches import Batch
from realtime.deltas import delta_frames
from realtime.held import HeldStream
from realtime.hints import Item, item_of
from realtime.hub import hub
from realtime.sse import seated
from realtime.streamed import COMMENT, RETRY, event_bytes
from realtime.taps import Tap
from realtime.tasks import run_soon

PAGE = 200


@seated
async def stream(identity: Identity, cursor: StreamCursor) -> AsyncGenerator[bytes, None]:
    """What follows `cursor` in all conversations of a user, then live; ends when the login does, or on a drain."""
    arrival = await asyncio.wrap_future(sessions.arrive(Visit(identity.user.id, "sse", "")))
    one = UserStream(identity, cursor, arrival.session)
    hub().watch(one)
    try:
        yield f"id: {cursor.encode()}\n".encode() + RETRY
        await one.begin()
        hub().streams.add(one)
        async for piece in one.pieces():
            yield piece
        for item in one.aside():
            yield event_bytes(item)  # why it ended
    finally:
        hub().unwatch(one)
        hub().streams.remove(one)
        one.close_taps()
        run_soon(in_thread(partial(sessions.end, session=arrival.session)))


class UserStream(HeldStream):
    """`cursor` is where the client stands once it has what was given out; `known` are the conversations it has."""

    def __init__(self, identity: Identity, cursor: StreamCursor, session_id: UUID) -> None:
        super().__init__(identity, session_id)
        self.reader = identity.user
        self.cursor, self.gone, self.acted = cursor, False, True
        self._known: frozenset[UUID] = frozenset()
        self._memberships: str | None = None
        self._lively: list[UUID] = []
        self._taps: dict[UUID, Tap] = {}
        self._backlog = Backlog()
        self._look: Look | None = None
        self._passing = False

    async def begin(self) -> None:
        """Find out which conversations there are, and in which of them something happens."""
        self._known = await in_thread(selectors.conversation_ids, self.user_id)
        wanted = settings.STREAM_ROOM_SECONDS, settings.STREAM_ROOMS
        self._lively = await in_thread(selectors.lively, self.user_id, *wanted)

    @property
    def ready(self) -> bool:
        """Whether another look can be taken."""
        return not (self._look or self._passing or self.gone)

    def found(self, look: Look) -> None:
        """Take what a look brought."""
        self._look = look
        self.wake.set()

    def offer(self, tap: Tap, batch: Batch) -> None:
        """Take what a room brings."""
        self._backlog.add(tap, batch)
        self.wake.set()

    def forget(self, tap: Tap) -> None:
        """Drop what waits of one room."""
        self._backlog.forget(tap)

    def put_out(self, tap: Tap, reason: str) -> None:
        """A room ended a membership; under a new epoch the client has to begin anew."""
        if reason == "epoch":
            return self._end()
        self._backlog.say(tap, self._leave(tap.conversation, reason))
        self.wake.set()

    def stir(self) -> None:
        """Something can be done."""
        self.wake.set()

    def check(self) -> None:
        """Listen no more where nothing happens."""
        super().check()
        for tap in [tap for tap in self._taps.values() if tap.idle]:
            self._turn_off(tap)

    def _turn_off(self, tap: Tap) -> None:
        """Listen to a room no more. What waits of it is dropped, or it would come again with what a look brings."""
        self._taps.pop(tap.conversation).close()
        self.forget(tap)

    def close(self, code: int) -> None:
        self._end()

    def drain(self, seconds: float) -> None:
        """End after a while: the client comes back by itself, with the last id."""
        asyncio.get_running_loop().call_later(seconds, self._end)

    def close_taps(self) -> None:
        """Listen to nothing more."""
        self.gone = True
        for tap in self._taps.values():
            tap.close()

    def _end(self) -> None:
        self.gone = True
        self.wake.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Server-sent events, and a comment where there are none for a while."""
        while not self.gone:
            self.wake.clear()
            if self._look:
                async for piece in self._pass(self._look):
                    yield piece
            for piece in self._live():
                yield piece
            for tap in [tap for tap in self._taps.values() if tap.behind]:
                async for piece in self._catch_up(tap):
                    yield piece
            if not await self._woken():
                yield COMMENT

    async def _woken(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.SSE_COMMENT_SECONDS):
                return await self.wake.wait()
        return False

    async def _pass(self, look: Look) -> AsyncIterator[bytes]:
        """Bring every conversation to where it stood at the look."""
        self._passing, self._look = True, None
        if look.numbering != self.cursor.numbering:
            self._end()
            return
        for conversation in await self._lost(look):
            if tap := self._taps.get(conversation):
                self.forget(tap)
            yield event_bytes(self._leave(conversation, "removed"))
        late = self.cursor.target is not None
        self.cursor.aim(look.target)
        brought = {}
        for change in sorted(look.changed, key=lambda one: one.conversation.bytes):
            async for piece in self._bring(change):
                yield piece
                brought[change.conversation] = change.head
            if self.gone:
                return
        self.cursor.reach({change.conversation: change.head for change in look.changed})
        self._passing = False
        await self._listen(brought)
        if brought or late:
            hub().streams.soon([self])  # it may have taken long

    async def _lost(self, look: Look) -> Sequence[UUID]:
        """The conversations that the user is no member of any more."""
        if look.memberships == self._memberships:
            return ()
        before = self._known
        now = await in_thread(selectors.conversation_ids, self.user_id)
        told = before - self._known  # by their rooms, meanwhile
        self._known, self._memberships = now - told, None if told else look.memberships
        return sorted(before - now - told)

    async def _bring(self, change: Change) -> AsyncIterator[bytes]:
        tap = self._taps.get(change.conversation)
        seq = tap.seq if tap else self.cursor.seq_of(change.conversation, change.held, change.joined)
        if seq < change.head:
            async for piece in self._replay(change.conversation, seq, change.head):
                yield piece

    async def _listen(self, brought: dict[UUID, int]) -> None:
        """Listen where something happened just now, and first where something happened when the stream began."""
        lively, self._lively = self._lively, []
        if lively:
            brought = {**await in_thread(selectors.heads_at, self.cursor.base.snapshot, lively), **brought}
        for conversation in [id_ for id_ in brought if id_ not in self._taps][-settings.STREAM_ROOMS :]:
            seq = max(brought[conversation], self.cursor.ahead.get(conversation, 0))
            tap = self._taps[conversation] = Tap(self, self.reader, conversation, seq)
            run_soon(tap.open())
        for tap in sorted(self._taps.values(), key=lambda one: one.stirred)[: -settings.STREAM_ROOMS]:
            self._turn_off(tap)

    def _live(self) -> Iterator[bytes]:
        yield from map(event_bytes, self.aside())
        for tap, item in self._backlog.taken():
            if item.type == "left":
                self.cursor.ahead.pop(tap.conversation, None)
                yield event_bytes(item)
            elif self._is_next(tap, item):
                yield self._given(tap, item)

    def _is_next(self, tap: Tap, item: Item) -> bool:
        if tap.behind or not item.seq:
            return not tap.behind
        if item.seq <= tap.seq:
            return False
        tap.behind = item.seq > tap.seq + 1 or not self._fits(tap.conversation)
        return not tap.behind

    def _fits(self, conversation: UUID) -> bool:
        """Whether the cursor can name one more conversation; if not, its base has to move first."""
        return conversation in self.cursor.ahead or len(self.cursor.ahead) < settings.STREAM_AHEAD

    async def _catch_up(self, tap: Tap) -> AsyncIterator[bytes]:
        """Come into step with a room; where that takes another look, it is asked for."""
        room, before = tap.room, tap.seq
        if room is None:
            return
        if tap.seq < room.head:
            if self._fits(tap.conversation):
                async for piece in self._replay(tap.conversation, tap.seq, room.head):
                    yield piece
            self.stir() if tap.seq > before else hub().streams.soon([self])
            return
        answers = await room.running()
        if tap.seq < room.head:
            self.stir()
            return
        room.flush()
        tap.behind = False
        for answer in answers:
            for frame in delta_frames(tap.conversation, answer, 0):
                yield event_bytes(item_of(frame))

    async def _replay(self, conversation: UUID, seq: int, head: int) -> AsyncIterator[bytes]:
        """Events after `seq` up to `head` from the log, or a snapshot where they are too many."""
        if head - seq > settings.CATCHUP_MAX:
            yield await self._resync(conversation)
            return
        while seq < head and not self.gone:
            frames = await in_thread(selectors.events_for, self.user_id, conversation, seq, PAGE, head)
            if not frames:
                return  # no member any more: the next look tells
            for frame in frames:
                seq = frame["seq"]
                yield self._given(conversation, item_of(frame))
                if frame["type"] == "conversation:update" and is_erased(frame["data"]):
                    yield event_bytes(self._leave(conversation, "closed"))

    async def _resync(self, conversation: UUID) -> bytes:
        """The client has to begin anew in one conversation."""
        snapshot = await in_thread(selectors.snapshot, conversation, self.reader)
        frame = {"type": "resync", "conversation": str(conversation), "reason": "too_far", **snapshot}
        if self._fits(conversation):
            self.cursor.ahead[conversation] = snapshot["head"]
        return self._given(conversation, Item(snapshot["head"], "resync", item_of(frame).text))

    def _given(self, to: Tap | UUID, item: Item) -> bytes:
        """Note that the client has `item`, of a room or of the log, and show it with its place in the stream."""
        if not item.seq:
            return event_bytes(item)
        conversation = to if isinstance(to, UUID) else to.conversation
        tap = self._taps.get(conversation) if isinstance(to, UUID) else to
        if tap:
            tap.note(item.seq)
        if self._passing:
            self.cursor.at = conversation, item.seq
        else:
            self.cursor.ahead[conversation] = item.seq
        return event_bytes(item, self.cursor.encode())

    def _leave(self, conversation: UUID, reason: str) -> Item:
        """Forget a conversation; the frame that says so."""
        if tap := self._taps.pop(conversation, None):
            tap.close()
        self.cursor.ahead.pop(conversation, None)
        if reason == "removed":
            self._known, self._memberships = self._known - {conversation}, None
        return item_of({"type": "left", "conversation": str(conversation), "reason": reason})
