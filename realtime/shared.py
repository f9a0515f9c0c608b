"""What comes in a shared conversation, as server-sent events for strangers: no event of the log, but messages as they
are now, and how running answers grow. What wakes a stream is the room; what it tells comes from the database."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.models import Share
from conversations.selectors import News
from realtime.batches import Batch
from realtime.hints import Item
from realtime.hub import hub
from realtime.protocol import encode, error_frame
from realtime.room import Room
from realtime.streamed import COMMENT, RETRY, event_bytes, explained
from realtime.tenure import Tenure


@explained
async def stream(share: Share, seq: int) -> AsyncGenerator[bytes, None]:
    """What changed after `seq`, then live; ends with `ended` when the share leads nowhere any more."""
    shares = hub().shares
    if shares.count(share.id) >= settings.SHARE_STREAMS:
        raise Problem("room_full", retry_after_ms=10_000)
    try:
        room = await hub().visit(share.place)
    except Problem as problem:
        if problem.code.name != "not_found":
            raise
        yield _ended()
        return
    viewer = Viewer(share.id, room, seq)
    room.members.add(viewer)
    hub().watch(viewer)
    shares.add(viewer)
    try:
        yield RETRY
        async with aclosing(viewer.pieces()) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        shares.remove(viewer)
        hub().unwatch(viewer)
        room.members.discard(viewer)
        hub().go_away(room)


def _ended() -> bytes:
    return event_bytes(Item(0, "ended", "{}"))


class Viewer:
    """A stranger in a room, whom nobody sees and who takes no seat. `told` is how much of running answers, by message,
    was told."""

    role = ""
    user: User | None = None
    tenure: Tenure | None = None
    acted = False
    session_id: UUID | None = None

    def __init__(self, share: UUID, room: Room, seq: int) -> None:
        self.share = share
        self.room = room
        self.seq = seq
        # Nobody's: no membership that ends is meant.
        self.user_id = new_id()
        self.user_name = ""
        self.told: dict[str, int] = {}
        self.title: str | None = None
        self.reason = ""
        self.wake = asyncio.Event()

    def deliver(self, batch: Batch) -> None:
        if any(item.seq or item.type == "delta" for item in batch.items):
            self.wake.set()

    def forget(self) -> None:
        """Nothing of the room's waits here."""

    def removed(self, reason: str) -> None:
        self.reason = reason
        self.wake.set()

    def left(self) -> None:
        """Nobody knew that it was there."""

    def check(self) -> None:
        """Nothing to look at: HTTP tells when the client is gone."""

    def send(self, frame: dict[str, Any]) -> None:
        """Nothing is said to strangers beside what is shared."""

    def close(self, code: int) -> None:
        self.removed("drain")

    def drain(self, seconds: float) -> None:
        """End the stream after a while: its client comes back by itself, with the last id."""
        asyncio.get_running_loop().call_later(seconds, self.removed, "drain")

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body after its beginning."""
        while not self.reason:
            self.wake.clear()
            for item, id_ in self._items(await self._news()):
                yield event_bytes(item, id_)
            await asyncio.sleep(settings.SHARE_STREAM_MS / 1000)
            while not (self.wake.is_set() or await self._woken()):
                yield COMMENT
        if self.reason != "drain":
            yield _ended()

    async def _news(self) -> News:
        news, fresh = await feed_of(self.room).news(self.seq)
        if not fresh:
            self.wake.set()
        return news

    async def _woken(self) -> bool:
        try:
            async with asyncio.timeout(settings.SSE_COMMENT_SECONDS):
                await self.wake.wait()
        except TimeoutError:
            return False
        return True

    def _items(self, news: News) -> Iterator[tuple[Item, str]]:
        if news.incomplete:
            self.removed("drain")
            problem = Problem("resync_required", extra={"reason": "too_far"})
            yield Item(0, "error", encode(error_frame(problem))), ""
            return
        yield from ((item, "") for item in self._frames(news))
        if news.seq > self.seq:
            self.seq = news.seq
            yield _item("seq", seq=news.seq), f"{news.epoch}:{news.seq}"

    def _frames(self, news: News) -> Iterator[Item]:
        if news.title != self.title:
            self.title = news.title
            yield _item("title", title=news.title)
        for id_ in news.gone:
            yield _item("gone", message=id_)
        for message in news.messages:
            self.told[message["id"]] = len(message["text"])
            yield _item("message", **message)
        yield from self._deltas(news.running)
        self.told = {id_: length for id_, length in self.told.items() if id_ in news.running}

    def _deltas(self, running: dict[str, str]) -> Iterator[Item]:
        for id_, text in running.items():
            told = self.told.get(id_, 0)
            if len(text) > told:
                self.told[id_] = len(text)
                yield _item("delta", message=id_, offset=told, text=text[told:])


def _item(name: str, **data: Any) -> Item:
    return Item(0, name, encode(data))


class Feed:
    """What the viewers of a room read, once for all who ask for the same at the same time."""

    def __init__(self, conversation: UUID) -> None:
        self._conversation = conversation
        self._reading: dict[int, asyncio.Task[News]] = {}

    async def news(self, after: int) -> tuple[News, bool]:
        """What changed after a seq, and whether it was read after this was asked for."""
        task = self._reading.get(after)
        fresh = task is None
        if task is None:
            task = self._reading[after] = asyncio.create_task(
                in_thread(selectors.shared_news, self._conversation, after)
            )
            task.add_done_callback(lambda _: self._reading.pop(after, None))
        return await asyncio.shield(task), fresh


_feeds: "WeakKeyDictionary[Room, Feed]" = WeakKeyDictionary()


def feed_of(room: Room) -> Feed:
    """The feed of a room."""
    if room not in _feeds:
        _feeds[room] = Feed(room.conversation)
    return _feeds[room]
