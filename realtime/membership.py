"""A session in a room: in step with it, or catching up from the log at the client's own pace."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from realtime import broadcast, protocol
from realtime.batches import Batch, size_of
from realtime.deltas import delta_frames
from realtime.hints import Item, data_of
from realtime.hub import hub
from realtime.outbox import Waiting
from realtime.paging import Page, pages
from realtime.protocol import Close
from realtime.room import Room
from realtime.tasks import run_soon

if TYPE_CHECKING:
    from realtime.session import Session


@dataclass(frozen=True)
class Admission:
    """What was read for a joining client: it may read up to `head`; everything after `seq` is owed to it.

    `held` is how much it has of running answers; `snapshot` replaces what cannot be replayed, for `reason`.
    """

    room: Room
    user_id: UUID
    user_name: str
    role: str
    seq: int
    head: int
    held: dict[str, int]
    members: list[dict[str, Any]]
    state: dict[str, Any]
    resumed: bool
    reason: str | None
    snapshot: dict[str, Any] | None


class Membership:
    """`pushed` is the last seq put into the outbox, `sent` the last one handed to the socket.

    A membership begins behind and catches up page by page; from then on it is handed the room's batches.
    Where its client is too slow, the outbox drops them and it is behind again, from `sent` on.
    """

    def __init__(self, session: "Session", admission: Admission) -> None:
        self.session = session
        self.room = admission.room
        self.user_id = admission.user_id
        self.user_name = admission.user_name
        self.role = admission.role
        self.pushed = self.sent = admission.seq
        self.behind = True
        self.typing = False
        self._held = admission.held
        # What the client was told beside the log: who is there, and the shared state.
        self._attending = admission.room.attending | {admission.user_id}
        self._state = admission.state
        self._allowed_until = admission.head
        self._catching_up = False
        self._done_said = False

    def deliver(self, batch: Batch) -> None:
        if not self.behind:
            self.pushed = max(self.pushed, batch.last_seq)
            self.session.outbox.push(Waiting(batch.text, batch.size, self, batch.last_seq))

    def forget(self) -> None:
        self.session.outbox.drop(self)

    def removed(self, reason: str) -> None:
        """The room put this member out: tell the client, or have it join again under a new epoch."""
        self.session.memberships.pop(self.room.conversation, None)
        hub().leave(self.room, self)
        if reason == "epoch":
            self.session.close(Close.INSUFFICIENT_STATE)
        else:
            self.session.send({"type": "left", "conversation": str(self.room.conversation), "reason": reason})

    def left(self) -> None:
        """Whoever is gone does not type any more."""
        self.types(on=False)

    def types(self, *, on: bool) -> None:
        """Tell the room whether this member is typing, where that is news."""
        if on or self.typing:
            who = {"id": str(self.user_id), "name": self.user_name}
            frame = {"type": "user:typing", "conversation": str(self.room.conversation), "user": who, "on": on}
            broadcast.publish({self.room.conversation: [frame]})
        self.typing = on

    async def catch_up(self) -> None:
        """Go on until in step with the room, or until the client must acknowledge first."""
        if self._catching_up:
            return
        self._catching_up = True
        try:
            while self.behind and self.present and await self.session.outbox.becomes_roomy():
                if self.pushed < self.room.head:
                    await self._push_page()
                else:
                    await self._fall_in()
        finally:
            self._catching_up = False

    @property
    def present(self) -> bool:
        return self in self.room.members

    async def _push_page(self) -> None:
        """The next events, from the room's memory or from the log."""
        after = self.pushed
        found = await self.room.after(after)
        if after != self.pushed or not self.present:
            return  # what was pushed before has been dropped meanwhile, or the member is gone
        items, removed = self._until_removal(found)
        for page in pages(self.room.conversation, items, self.room.head):
            if not await self.session.outbox.becomes_roomy() or not self.present or self.pushed != after:
                return
            self._push_catchup(page)
            after = self.pushed
        if removed:
            self.room.put_out([self])

    def _until_removal(self, items: list[Item]) -> tuple[list[Item], bool]:
        """The events before this member's removal, if it was removed after it had been admitted."""
        for position, item in enumerate(items):
            removal = item.type == "member:remove" and item.seq > self._allowed_until
            if removal and data_of(item).get("user") == str(self.user_id):
                return items[:position], True
        return items, False

    async def _fall_in(self) -> None:
        """Nothing is missing: say so, bring running answers up to date, and take part."""
        answers = await self.room.running()
        if self.pushed < self.room.head or not self.present:
            return
        if not self._done_said:
            self._push_catchup(next(pages(self.room.conversation, [], self.room.head)))
        self.room.flush()
        self.behind = False
        for answer in answers:
            for frame in delta_frames(self.room.conversation, answer, self._held.get(answer["run"], 0)):
                self._push(protocol.encode(frame), 0)
        self._held = {}
        self._push_news()

    def _push_news(self) -> None:
        """What was not handed over while this member was behind, beside the log."""
        registers = self.room.registers
        for item in [*self.room.changes_since(self._attending), *registers.values()]:
            if item.type != "state:set" or self._is_news(item):
                self._push(item.text, 0)
        # From now on everything is handed over; who falls behind is told all of it again.
        self._attending, self._state = frozenset(), {}

    def _is_news(self, register: Item) -> bool:
        frame = msgspec.json.decode(register.text)
        known = self._state.get(frame["key"])
        return not known or known["clock"]["wall"] != frame["clock"]["wall"]

    def _push_catchup(self, page: Page) -> None:
        self._done_said = self._done_said or page.done
        self._push(protocol.encode(page.frame), page.last_seq)

    def _push(self, text: str, last_seq: int) -> None:
        self.pushed = max(self.pushed, last_seq)
        self.session.outbox.put(Waiting(text, size_of(text), self, last_seq))

    def note_sent(self, seq: int) -> None:
        """The outbox handed a frame up to `seq` to the socket."""
        self.sent = max(self.sent, seq)

    def note_dropped(self) -> None:
        """The outbox dropped frames of this room: the log has them."""
        self.behind = True
        self.pushed = self.sent
        run_soon(self.catch_up())
