"""Many who come in at once are given what one of them read."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import selectors
from realtime.hints import Item
from realtime.recent import Recent
from realtime.tail import Tail
from tests.realtime.support import change_role, fill, head, join, remove, write
from tests.sockets import Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")


def event(seq: int, size: int = 10) -> Item:
    return Item(seq, "message:new", "x" * size)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 30)), max_size=40))
@settings(deadline=None)
def test_a_tail_never_has_a_hole(story: list[tuple[bool, int, int]]) -> None:
    """Whatever is remembered and read: what comes out follows on, up to the head, or is said to be missing."""
    with override_settings(ROOM_TAIL=12):
        tail, top = Tail(), 0
        for reading, after, count in story:
            if reading:
                tail.recall([event(seq) for seq in range(after + 1, min(after + count, top) + 1)], top)
            else:
                top += 1
                tail.remember(event(top))
            found = tail.since(after, top)
            assert found is None or [item.seq for item in found] == list(range(after + 1, top + 1))
            assert tail.since(top, top) == []


def test_a_tail_is_bounded_in_size() -> None:
    tail = Tail()
    for seq in range(1, 100):
        tail.remember(event(seq, 32_000))
    tail.recall([event(seq, 32_000) for seq in range(1, 84)], 99)
    assert tail.since(82, 99) is None
    assert [item.seq for item in tail.since(83, 99) or ()] == list(range(84, 100))


async def test_who_asks_during_a_read_waits_for_it_and_a_failure_is_not_kept() -> None:
    answers: list[Any] = ["a", Problem("unavailable"), "b"]

    async def read() -> str:
        await asyncio.sleep(0.01)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    recent = Recent(read)
    assert set(await asyncio.gather(recent.get(), recent.get())) == {"a"}
    assert await recent.get() == "a"
    recent.forget()
    failed = await asyncio.gather(recent.get(), recent.get(), return_exceptions=True)
    assert [type(one) for one in failed] == [Problem, Problem]
    assert await recent.get() == "b"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the database is asked for what."""
    counted: Counter[str] = Counter()

    def counting(name: str) -> Callable[..., Any]:
        asked = getattr(selectors, name)

        def ask(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return asked(*args, **kwargs)

        return ask

    for name in ("events", "members", "room_state", "head"):
        monkeypatch.setattr(selectors, name, counting(name))
    return counted


async def test_twenty_who_come_back_at_once_read_the_log_once(
    alice: User, conversation: UUID, reads: Counter[str]
) -> None:
    await fill(alice, conversation, 30)
    epoch, top = await head(conversation)
    reads.clear()
    resume = [{"conversation": str(conversation), "epoch": epoch, "seq": top - 20}]

    everybody = asyncio.Barrier(20)

    async def come() -> list[int]:
        """And stay until all have come: a room that everybody left reads again for the next."""
        async with connect(alice, resume=resume) as socket:
            heard = [one["seq"] for one in (await socket.hear("catchup"))["events"]]
            await everybody.wait()
            return heard

    assert await asyncio.gather(*(come() for _ in range(20))) == [list(range(top - 19, top + 1))] * 20
    assert reads["events"] == 1
    assert reads["members"] <= 2
    assert reads["head"] <= 10


async def test_who_comes_in_is_told_of_members_as_they_are(
    alice: User, bob: User, conversation: UUID, alice_socket: Socket
) -> None:
    """What was read for one a moment ago is not told to the next where it has changed."""
    roles = {member["user"]["id"]: member["role"] for member in (await join(alice_socket, conversation))["members"]}
    assert roles[str(bob.id)] == "editor"
    await change_role(alice, conversation, bob, "viewer")
    async with connect(bob) as socket:
        joined = await join(socket, conversation)
        roles = {member["user"]["id"]: member["role"] for member in joined["members"]}
        assert (joined["role"], roles[str(bob.id)]) == ("viewer", "viewer")


async def test_who_was_removed_a_moment_ago_does_not_come_in(
    alice: User, bob: User, conversation: UUID, alice_socket: Socket
) -> None:
    await join(alice_socket, conversation)
    async with connect(bob) as socket:
        await remove(alice, conversation, bob)
        epoch, top = await head(conversation)
        await socket.say(type="join", ref=1, conversation=str(conversation), epoch=epoch, seq=top)
        assert (await socket.hear())["code"] == "not_found"
        await write(alice, conversation)
        assert await socket.hears_nothing()


async def test_pages_of_the_log_are_bounded_by_what_they_take(alice: User, conversation: UUID) -> None:
    """However many rows there are, no more is read than fits in a message; one that is larger comes alone."""
    await fill(alice, conversation, 30, "x" * 30_000)
    found = await in_thread(lambda: selectors.events(conversation, 2, 200, most_bytes=256 * 1024))
    assert [event["seq"] for event in found] == list(range(3, 3 + len(found)))
    assert 5 <= len(found) <= 9
    assert len(await in_thread(lambda: selectors.events(conversation, 2, 200, most_bytes=1))) == 1
    assert len(await in_thread(lambda: selectors.events(conversation, 0, 4, most_bytes=256 * 1024))) == 4
