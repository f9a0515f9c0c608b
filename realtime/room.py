"""One conversation in one process: where its log stands, its recent events, and who is here."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from chatproject.lib import metrics
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.event_types import is_erased
from realtime.batches import Batch, batches
from realtime.deltas import delta_frames, joined_deltas
from realtime.hints import Item, data_of, item_of
from realtime.pace import Pace
from realtime.recent import Recent
from realtime.tail import Tail
from realtime.tasks import run_soon

PAGE = 500
# An erased conversation has no members in its room any more.
CHANGES_MEMBERS = ("member:remove", "member:update", "conversation:update")


class RoomMember(Protocol):
    """Somebody who is handed what happens in a room."""

    user_id: UUID
    user_name: str
    role: str

    def deliver(self, batch: Batch) -> None: ...

    def forget(self) -> None:
        """Drop what was delivered and is not sent yet."""

    def removed(self, reason: str) -> None:
        """Called when this member was put out already; `reason` is `removed`, `closed` or `epoch`."""

    def left(self) -> None:
        """Called when this membership has ended, however it did."""


class Room:
    """Events go to members in order of `seq` and exactly once; what hints do not bring is read from the log.

    `lengths` has an entry for every run that has begun and not ended at `head`: how much of its answer the
    members were given. A delta of any other run is not theirs (yet, or any more).
    """

    def __init__(self, conversation: UUID, pace: Pace) -> None:
        self.conversation = conversation
        self._pace = pace
        self.epoch = ""
        self.head = -1
        self.members: set[RoomMember] = set()
        self.visitors = 0
        self.lengths: dict[str, int] = {}
        self.names: dict[UUID, str] = {}
        self.attending: frozenset[UUID] = frozenset()
        # The registers that changed since this room was opened, as they were told last.
        self.registers: dict[str, Item] = {}
        # What goes to the members in the next round.
        self._fresh: list[Item] = []
        self._tail = Tail()
        self._recalling = asyncio.Lock()
        # The members, and the shared state by key, no older than the head.
        self.about = Recent(partial(in_thread, _about, conversation))
        self._filling: asyncio.Task[None] | None = None
        self._stale = False

    @property
    def loaded(self) -> bool:
        return self.head >= 0

    @property
    def empty(self) -> bool:
        """Whether nobody is here or about to come in."""
        return not self.members and not self.visitors

    def attended(self, online: frozenset[UUID]) -> None:
        """Tell the members who came and who went since they were last told. All of `online` have `names`."""
        before, self.attending = self.attending, online
        self._hand_over(self.changes_since(before))

    def changes_since(self, before: frozenset[UUID]) -> list[Item]:
        """`user:join` and `user:leave` for whoever was told of the users `before`."""
        came, went = self._named(self.attending - before), self._named(before - self.attending)
        about = {"conversation": str(self.conversation), "online": len(self.attending)}
        frames = ({"type": "user:join", "users": came, **about}, {"type": "user:leave", "users": went, **about})
        return [item_of(frame) for frame in frames if frame["users"]]

    def _named(self, users: Iterable[UUID]) -> list[dict[str, str]]:
        return [{"id": str(user), "name": self.names[user]} for user in users]

    async def after(self, seq: int) -> list[Item]:
        """The next events after `seq`: all up to the head from memory, or those that fit in one message from the
        log, read once for all who want them. None at the head."""
        async with self._recalling:
            items, head, tail = self._tail.since(seq, self.head), self.head, self._tail
            if items is None:
                items = await self._read(seq, head)
                tail.recall(items, self.head)
        return items

    async def _read(self, seq: int, head: int) -> list[Item]:
        read = partial(selectors.events, up_to=head, most_bytes=settings.BATCH_MAX_BYTES)
        return [item_of(frame) for frame in await in_thread(read, self.conversation, seq, PAGE)]

    def offer(self, items: Iterable[Item]) -> None:
        """Take what a hint brought. It may be old, doubled or ahead; a gap is filled from the log."""
        if not self.loaded:
            self._stale = True
            return
        self._deliver([item for item in items if self._accept(item)])

    def _accept(self, item: Item) -> bool:
        """Whether `item` is news and next; where something before it is missing, that is read."""
        if item.type == "delta":
            return self._accept_delta(item)
        if item.type == "state:set":
            return self._accept_register(item)
        if item.seq == 0:
            return True
        if item.seq > self.head + 1:
            self.fill()
        if item.seq != self.head + 1:
            return False
        self.head = item.seq
        self._note(item)
        return True

    def _note(self, item: Item) -> None:
        """What the event at the head changes here."""
        self._tail.remember(item)
        if item.type == "run:start" and item.run:
            self.lengths[item.run] = 0
        elif item.type == "run:end":
            self.lengths.pop(item.run, None)
        elif item.type.startswith("member:"):
            self.about.forget()

    def _accept_register(self, item: Item) -> bool:
        """Hints and the poll may bring the same register, in any order; the larger clock is the later one."""
        frame = json.loads(item.text)
        known = self.registers.get(frame["key"])
        if known and _rank(json.loads(known.text)) >= _rank(frame):
            return False
        self.registers[frame["key"]] = item
        self.about.forget()
        return True

    def _accept_delta(self, item: Item) -> bool:
        known = self.lengths.get(item.run)
        if known is None or item.offset > known:
            self.fill()
            return False
        if item.offset + item.length <= known:
            return False
        self.lengths[item.run] = item.offset + item.length
        return True

    def _deliver(self, fresh: Sequence[Item]) -> None:
        """Hand `fresh` over, cut at every member's own removal; an erasure is the last that members get."""
        start = 0
        for position, item in enumerate(fresh):
            data = data_of(item) if item.type in CHANGES_MEMBERS else {}
            if is_erased(data):
                return self._close(fresh[start:])
            if item.type == "member:remove":
                self._hand_over(fresh[start:position])
                self.put_out([member for member in self.members if str(member.user_id) == data["user"]])
                start = position
            elif item.type == "member:update":
                self._change_role(**data)
        return self._hand_over(fresh[start:])

    def _close(self, last: Sequence[Item]) -> None:
        """Keep nothing of what was erased, here or on the way to members; tell them by `last`, and end their stay."""
        # Another one: who is reading the log puts nothing into this one.
        self._tail = Tail()
        self._fresh.clear()
        self.lengths.clear()
        for member in self.members:
            member.forget()
        self._hand_over(last)
        self.put_out(self.members, "closed")

    def _hand_over(self, items: Sequence[Item]) -> None:
        if items and self.members:
            self._fresh += items
            self._pace.room(self)

    def flush(self) -> None:
        """Hand over now what waits for the next round: before anybody falls in with the members, or leaves."""
        items, self._fresh = self._fresh, []
        for batch in batches(joined_deltas(items)):
            for member in list(self.members):
                member.deliver(batch)

    def _change_role(self, user: str, role: str, **_: Any) -> None:
        for member in self.members:
            if str(member.user_id) == user:
                member.role = role

    def put_out(self, members: Iterable[RoomMember], reason: str = "removed") -> None:
        """End memberships; whoever is put out gets nothing after that."""
        self.flush()
        for member in list(members):
            self.members.discard(member)
            member.removed(reason)

    def fill(self) -> "asyncio.Task[None]":
        """Read what is missing; await the task to be where the log stood when this was called, at least."""
        self._stale = True
        if self._filling is None or self._filling.done():
            self._filling = run_soon(self._fill())
        return self._filling

    async def _fill(self) -> None:
        while self._stale:
            self._stale = False
            if self.loaded:
                await self._fill_events()
                await self._fill_deltas()
            else:
                await self._load()

    async def _load(self) -> None:
        """Begin at the head of the log, with the answers that are running there."""
        epoch, head, answers = await in_thread(selectors.standing, self.conversation)
        self.epoch, self.head = epoch, head
        self.about.forget()
        self.lengths = {answer["run"]: len(answer["text"]) for answer in answers}
        self._tail = Tail()

    async def _fill_events(self) -> None:
        before = self.head
        epoch, head = await in_thread(selectors.head, self.conversation)
        if epoch != self.epoch or head < before:
            return await self._restart()
        while self.head < head:
            items = await self._read(self.head, head)
            if not items:
                return
            missing = [item for item in items if item.seq > self.head]
            metrics.events_lost.inc(len(missing))
            self._deliver([item for item in missing if self._accept(item)])

    async def _fill_deltas(self) -> None:
        """Bring running answers to their stored length."""
        known = dict(self.lengths)
        for tail in await in_thread(selectors.running_tails, self.conversation, known) if known else ():
            # Hints may have brought it meanwhile, and the end of the run too.
            if tail["run"] in self.lengths:
                items = map(item_of, delta_frames(self.conversation, tail, 0))
                self._deliver([item for item in items if self._accept(item)])

    async def _restart(self) -> None:
        """The numbering is not the one that members know: they join again under the new one."""
        await self._load()
        self.put_out(self.members, "epoch")

    async def running(self) -> list[dict[str, Any]]:
        """The running answers, each at least as long as what members were given of it until now."""
        while True:
            answers = await in_thread(selectors.running_texts, self.conversation) if self.lengths else []
            texts = {answer["run"]: len(answer["text"]) for answer in answers}
            if all(length <= texts.get(run, length) for run, length in self.lengths.items()):
                return [answer for answer in answers if answer["run"] in self.lengths]


def _about(conversation: UUID) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    return selectors.members(conversation), selectors.room_state(conversation)


def _rank(register: dict[str, Any]) -> tuple[int, str, int]:
    return register["clock"]["wall"], register["by"]["client_id"], len(register["conflicts"])
