"""One conversation in one process: where its log stands, its recent events, and who is here."""

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from uuid import UUID

from django.conf import settings

from chatproject.lib import metrics
from chatproject.lib.threads import in_thread
from conversations import selectors
from realtime.hints import Item, item_of
from realtime.outbox import joined
from realtime.tasks import run_soon

PAGE = 500


@dataclass
class Batch:
    """Frames of one room, encoded once; every member in step is handed the same text."""

    items: Sequence[Item]

    @cached_property
    def text(self) -> str:
        return joined([item.text for item in self.items])

    @cached_property
    def last_seq(self) -> int:
        """The highest seq in it; 0 where it holds no event."""
        return max((item.seq for item in self.items), default=0)


class RoomMember(Protocol):
    """Somebody who is handed what happens in a room."""

    user_id: UUID

    def deliver(self, batch: Batch) -> None: ...

    def removed(self, reason: str) -> None: ...


class Room:
    """Events go to members in order of `seq` and exactly once; what hints do not bring is read from the log."""

    def __init__(self, conversation: UUID) -> None:
        self.conversation = conversation
        self.epoch = ""
        self.head = -1
        self.members: set[RoomMember] = set()
        self.lengths: dict[str, int] = {}
        self._tail: deque[Item] = deque(maxlen=settings.ROOM_TAIL)
        self._filling: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        return self.head >= 0

    def online(self) -> int:
        return len({member.user_id for member in self.members})

    def since(self, seq: int) -> list[Item] | None:
        """The events after `seq`, or None where the tail does not reach back that far."""
        if seq >= self.head:
            return []
        if not self._tail or self._tail[0].seq > seq + 1:
            return None
        return [item for item in self._tail if item.seq > seq]

    def offer(self, items: Iterable[Item]) -> None:
        """Take what a hint brought. It may be old, doubled or ahead; a gap is filled from the log."""
        if not self.loaded:
            return
        fresh: list[Item] = []
        for item in items:
            if not self._accept(item, fresh):
                self.fill()
        self._deliver(fresh)

    def _accept(self, item: Item, fresh: list[Item]) -> bool:
        """Add `item` to `fresh` if it is next; False where something before it is missing."""
        if item.type == "delta":
            return self._accept_delta(item, fresh)
        if item.seq == 0:
            fresh.append(item)
            return True
        if item.seq <= self.head:
            return True
        if item.seq > self.head + 1:
            return False
        self.head = item.seq
        self._tail.append(item)
        fresh.append(item)
        return True

    def _accept_delta(self, item: Item, fresh: list[Item]) -> bool:
        known = self.lengths.get(item.run, 0)
        if item.offset > known:
            return False
        if item.offset + item.length > known:
            self.lengths[item.run] = item.offset + item.length
            fresh.append(item)
        return True

    def _deliver(self, fresh: list[Item]) -> None:
        """Hand `fresh` over, cut at every member's own removal."""
        start = 0
        for position, item in enumerate(fresh):
            if item.type == "run:end":
                self.lengths.pop(json.loads(item.text)["data"]["run"], None)
            if item.type == "member:remove":
                self._hand_over(fresh[start:position])
                self._remove(json.loads(item.text)["data"]["user"])
                start = position
        self._hand_over(fresh[start:])

    def _hand_over(self, items: Sequence[Item]) -> None:
        if items:
            batch = Batch(items)
            for member in list(self.members):
                member.deliver(batch)

    def _remove(self, user: str) -> None:
        for member in [member for member in self.members if str(member.user_id) == user]:
            self.members.discard(member)
            member.removed("removed")

    def fill(self) -> "asyncio.Task[None]":
        """Read what is missing, once at a time; await the task to be at the head of the log."""
        if self._filling is None or self._filling.done():
            self._filling = run_soon(self._fill())
        return self._filling

    async def _fill(self) -> None:
        epoch, head = await in_thread(selectors.head, self.conversation)
        if epoch != self.epoch:
            self._restart(epoch, head)
        while self.head < head:
            frames = await in_thread(selectors.events, self.conversation, self.head, PAGE)
            if not frames:
                break
            missing = [item_of(frame) for frame in frames if frame["seq"] > self.head]
            metrics.events_lost.inc(len(missing))
            fresh: list[Item] = []
            for item in missing:
                self._accept(item, fresh)
            self._deliver(fresh)
        await self._fill_deltas()

    async def _fill_deltas(self) -> None:
        """Bring running answers to their stored length."""
        for answer in await in_thread(selectors.running_texts, self.conversation):
            known = self.lengths.get(answer["run"], 0)
            if len(answer["text"]) > known:
                frame = delta_frame(self.conversation, answer, known)
                fresh: list[Item] = []
                self._accept(item_of(frame), fresh)
                self._deliver(fresh)

    def _restart(self, epoch: str, head: int) -> None:
        """Begin at `head` of a numbering that this process did not know; members of the old one join again."""
        self.epoch, self.head = epoch, head
        self._tail.clear()
        self.lengths.clear()
        for member in list(self.members):
            self.members.discard(member)
            member.removed("epoch")


def delta_frame(conversation: UUID, answer: dict, offset: int) -> dict:
    """The stored text of a running answer from `offset` on."""
    return {
        "type": "delta",
        "conversation": str(conversation),
        "run": answer["run"],
        "message": answer["message"],
        "offset": offset,
        "text": answer["text"][offset:],
    }
