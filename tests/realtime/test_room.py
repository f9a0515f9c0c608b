"""A room against hints that are lost, doubled, late and in any order: each event once, in order."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants import chunks
from conversations.services import runs
from realtime.batches import Batch, batches, joined, size_of
from realtime.hints import Item, item_of
from realtime.pace import Pace
from realtime.room import Room
from tests.conversations.assistants.support import asked, conversation_with
from tests.realtime.support import fill, log, without_hints

pytestmark = pytest.mark.usefixtures("realtime_layer")


class Listener:
    """A member that keeps what it was handed, as a client would."""

    def __init__(self) -> None:
        self.user_id = new_id()
        self.user_name = "Alice"
        self.role = "owner"
        self.items: list[Item] = []

    def deliver(self, batch: Batch) -> None:
        self.items += batch.items

    def removed(self, reason: str) -> None:
        raise AssertionError(reason)

    def left(self) -> None:
        raise AssertionError("nobody leaves")

    def forget(self) -> None:
        """Everything was handed on already."""

    @property
    def seqs(self) -> list[int]:
        return [item.seq for item in self.items if item.seq]

    def texts(self) -> dict[str, str]:
        """The answers, put together by the client's rule; fails on a delta outside of its run."""
        held: dict[str, str] = {}
        for item in self.items:
            frame = json.loads(item.text)
            if item.type == "run:start":
                held[item.run] = ""
            elif item.type == "delta":
                assert item.offset <= len(held[item.run])
                held[item.run] = held[item.run][: item.offset] + frame["text"]
            elif item.type == "run:end":
                assert frame["data"]["text"].startswith(held.pop(item.run))
        return held


async def room_with(conversation: UUID) -> tuple[Room, Listener]:
    room, listener = Room(conversation, Pace()), Listener()
    await room.fill()
    room.members.add(listener)
    return room, listener


SOME = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def mangled(items: Sequence[Item], random: Any) -> list[list[Item]]:
    """Hints as a bad network brings them: 10 % lost, 5 % doubled, some late; in groups of any size."""
    kept = [item for item in items if random.random() >= 0.1]
    kept = [item for item in kept for _ in range(2 if random.random() < 0.05 else 1)]
    order = sorted(range(len(kept)), key=lambda position: position + (random.random() < 0.2) * random.uniform(0, 6))
    hints: list[list[Item]] = [[]]
    for position in order:
        hints[-1].append(kept[position])
        if random.random() < 0.5:
            hints.append([])
    return hints


@SOME
@given(random=st.randoms(use_true_random=False))
async def test_each_event_once_and_in_order(alice: User, conversation: UUID, random: Any) -> None:
    before = (await log(conversation))[-1]["seq"]
    with without_hints():
        room, listener = await room_with(conversation)
        await fill(alice, conversation, 12)
    events = await log(conversation, before)
    for hint in mangled([item_of(event) for event in events], random):
        room.offer(hint)
        if random.random() < 0.2:
            await asyncio.sleep(0)
    await room.fill()
    assert listener.seqs == [event["seq"] for event in events]
    assert [json.loads(item.text) for item in listener.items] == events


@SOME
@given(random=st.randoms(use_true_random=False))
async def test_a_running_answer_is_whole_and_comes_after_its_beginning(alice: User, random: Any) -> None:
    """Events and deltas of two turns, mangled: deltas fit together, within their runs, as they are stored."""
    conversation = await in_thread(conversation_with, alice)
    room, listener = await room_with(conversation)
    before = room.head
    hints: list[Item] = []
    for end in (True, False):
        claim = (await in_thread(asked, alice, conversation))[1]
        hints += await _turn(claim, end=end)
    for hint in mangled(hints, random):
        room.offer(hint)
        if random.random() < 0.2:
            await asyncio.sleep(0)
    await room.fill()
    assert listener.seqs == list(range(before + 1, room.head + 1))
    run = str(claim.run)
    assert listener.texts() == {run: "".join(f"piece {number} " for number in range(8))}
    assert room.lengths == {run: len(listener.texts()[run])}


async def _turn(claim: runs.Claim, *, end: bool = True) -> list[Item]:
    """Write an answer in 8 pieces; the hints that it sends, those of the question first."""
    hints, text = [item_of(event) for event in (await log(claim.conversation))[-2:]], ""
    for number in range(8):
        piece = chunks.Piece(claim, f"piece {number} ", len(text))
        await asyncio.wrap_future(chunks.store(piece))
        hints.append(item_of(chunks.delta(piece)))
        text += piece.text
    if end:
        done = await asyncio.wrap_future(runs.end(claim=claim, status="completed", text=text))
        hints.append(item_of(done.main))
    return hints


async def test_a_hint_during_a_read_is_not_forgotten(alice: User, conversation: UUID) -> None:
    """What comes while a gap is being filled makes the room read again, not wait for the poll."""
    with without_hints():
        room, listener = await room_with(conversation)
        await fill(alice, conversation, 2)
        reading = room.fill()
        await asyncio.sleep(0)
        await fill(alice, conversation, 3)
        latest = item_of((await log(conversation))[-1])
    room.offer([latest])
    await reading
    await room.fill()
    assert listener.seqs == [3, 4, 5, 6, 7]


async def test_a_hint_before_the_room_is_loaded_is_not_forgotten(alice: User, conversation: UUID) -> None:
    with without_hints():
        room = Room(conversation, Pace())
        loading = room.fill()
        await fill(alice, conversation, 3)
        room.offer([item_of(event) for event in await log(conversation, 2)])
        await loading
    assert room.head == 5


async def test_a_late_delta_of_an_ended_run_is_nobodys(alice: User) -> None:
    conversation, claim = await in_thread(asked, alice)
    room, listener = await room_with(conversation)
    hints = await _turn(claim)
    room.offer(hints)
    room.offer(hints[2:5])
    await room.fill()
    assert [item.type for item in listener.items].index("run:end") == len(listener.items) - 1
    assert room.lengths == {}


@given(
    st.lists(
        st.text(st.sampled_from("ax漢👋"), min_size=1, max_size=30_000).map(lambda text: Item(1, "x", text)), max_size=6
    )
)
@settings(deadline=None, max_examples=30)
def test_batches_are_bounded_in_bytes_and_lose_nothing(items: list[Item]) -> None:
    cut = list(batches(items))
    assert [item for batch in cut for item in batch.items] == items
    assert all(size_of(batch.text) <= 256 * 1024 for batch in cut)


def test_joining_splices_arrays() -> None:
    assert json.loads(joined(['{"a":1}', '[{"b":2},{"c":3}]', '{"d":4}'])) == [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]
    assert joined(['{"a":1}']) == '{"a":1}'
