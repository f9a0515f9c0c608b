"""All conversations of a user on one connection, over real requests to the application."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.selectors import Look
from conversations.services import conversations, erasing, maintenance, members
from conversations.streamcursors import StreamCursor
from realtime.hub import hub
from realtime.taps import Tap
from tests.conftest import new_user
from tests.conversations.assistants.support import asked
from tests.eventstreams import Stream, frames, request
from tests.realtime.support import fill, join, log, remove, without_hints, write
from tests.realtime.test_answers import Answer
from tests.sockets import Socket

pytestmark = pytest.mark.usefixtures("realtime_layer")
PATH = "stream/"
Log = dict[str, list[int]]


async def begun(user: User, *others: User) -> UUID:
    """A new conversation of `user`, with others as editors."""
    with_them = [{"user": str(other.id), "role": "editor"} for other in others]
    return await in_thread(lambda: conversations.create(user=user, members=with_them).result().conversation.id)


async def cursor_of(user: User) -> str:
    """The id with which a stream begins."""
    async with request(user, PATH) as stream:
        return await first_id(stream)


async def first_id(stream: Stream) -> str:
    async with asyncio.timeout(5):
        return (await anext(stream.events()))["id"]


async def test_everything_live_in_the_same_form_as_everywhere(
    alice: User, bob: User, conversation: UUID, bob_socket: Socket
) -> None:
    await join(bob_socket, conversation)
    async with request(alice, PATH) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        await write(bob, conversation, "Grüße\n👋🏽")
        first = (await stream.until("message:new"))[-1]
        assert json.loads(first["data"]) == await bob_socket.hear("message:new") == (await log(conversation))[-1]
        assert first["id"]
        second = await begun(alice)
        await write(alice, second, "Elsewhere")
        assert frames(await stream.until("message:new")) == await log(second)


async def test_it_goes_on_where_it_was_cut(alice: User, bob: User, conversation: UUID) -> None:
    other = await begun(bob, alice)
    async with request(alice, PATH) as stream:
        await write(alice, conversation, "one")
        last = (await stream.until("message:new"))[-1]["id"]
    await write(bob, other, "two")
    await write(bob, conversation, "three")
    await write(bob, other, "four")
    async with request(alice, PATH, last_event_id=last) as stream:
        found = [*await stream.until("message:new"), *await stream.until("message:new")]
        found += await stream.until("message:new")
        texts = [(UUID(frame["conversation"]), frame["data"]["text"]) for frame in frames(found)]
        assert sorted(texts) == sorted([(conversation, "three"), (other, "two"), (other, "four")])
        assert [text for id_, text in texts if id_ == other] == ["two", "four"]
    async with request(alice, PATH, query=f"after={found[-1]['id']}") as stream:
        await write(bob, other, "five")
        assert frames(await stream.until("message:new"))[-1]["data"]["text"] == "five"


@pytest.mark.parametrize("hints", [True, False])
async def test_conversations_that_begin_and_that_open_appear(alice: User, bob: User, hints: bool) -> None:
    """At once with hints, by the next look without: the whole conversation, from its first event."""
    old = await begun(bob)
    await fill(bob, old, 3)
    async with request(alice, PATH) as stream:
        await first_id(stream)
        await asyncio.sleep(0.1)
        with override_settings() if hints else without_hints():
            began = time.monotonic()
            mine = await begun(alice)
            assert frames(await stream.until("conversation:new")) == await log(mine)
            await asyncio.wrap_future(members.add(actor=bob, conversation=old, user=str(alice.id)))
            assert frames(await stream.until("member:add")) == await log(old)
            assert time.monotonic() - began < (1 if hints else 3)


@pytest.mark.parametrize("hints", [True, False])
async def test_who_is_removed_is_told_and_sees_nothing_more(
    alice: User, bob: User, conversation: UUID, hints: bool
) -> None:
    idle = await begun(alice, bob)
    async with request(bob, PATH) as stream:
        await write(alice, conversation, "First words")
        await stream.until("message:new")
        with override_settings() if hints else without_hints():
            for id_ in (conversation, idle):
                await remove(alice, id_, bob)
                await write(alice, id_, "Secret")
            gone = [frames(await stream.until("left", seconds=2))[-1] for _ in range(2)]
        assert {UUID(frame["conversation"]) for frame in gone} == {conversation, idle}
        assert {frame["reason"] for frame in gone} == {"removed"}
        new = await begun(alice, bob)
        rest = frames(await stream.until("member:add"))
        assert {UUID(frame["conversation"]) for frame in rest} == {new}


async def test_last_words_come_before_the_end(alice: User, bob: User, conversation: UUID) -> None:
    async with request(bob, PATH) as stream:
        await write(alice, conversation, "Live now")
        await stream.until("message:new")
        await tapped(conversation)
        await asyncio.gather(write(alice, conversation, "Last words"), remove(alice, conversation, bob))
        found = frames(await stream.until("left", seconds=2))
        assert [frame["data"]["text"] for frame in found[:-1]] == ["Last words"]


async def tapped(conversation: UUID) -> None:
    """Wait until a stream listens to the room, in step."""

    def is_tapped() -> bool:
        room = hub().rooms.get(conversation)
        return room is not None and any(isinstance(one, Tap) and not one.behind for one in room.members)

    await so(is_tapped)


async def so(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("still not so after 5 s")


async def test_an_erased_conversation_ends(alice: User, bob: User, conversation: UUID) -> None:
    async with request(bob, PATH) as stream:
        await write(alice, conversation, "Forget me")
        await stream.until("message:new")
        await in_thread(_erase, alice, conversation)
        found = frames(await stream.until("left", seconds=2))
        assert [frame["type"] for frame in found] == ["conversation:update", "left"]
        assert (found[0]["data"], found[1]["reason"]) == ({"erased": True}, "closed")


def _erase(user: User, conversation: UUID) -> None:
    erasing.erase(user=user, conversation=conversation)


async def test_logging_out_everywhere_ends_it(alice: User) -> None:
    async with request(alice, PATH) as stream:
        await first_id(stream)
        await User.objects.filter(id=alice.id).aupdate(auth_version=alice.auth_version + 1)
        await stream.rest(seconds=2)


async def test_a_running_answer_from_its_beginning_then_live(alice: User) -> None:
    _, claim = await in_thread(asked, alice)
    answer = Answer(claim)
    await answer.say("One ")
    async with request(alice, PATH) as stream:
        delta = (await stream.until("delta"))[-1]
        assert "id" not in delta
        assert (json.loads(delta["data"])["offset"], json.loads(delta["data"])["text"]) == (0, "One ")
        await answer.say("two")
        assert json.loads((await stream.until("delta"))[-1]["data"])["offset"] == 4
        await answer.end()
        assert frames(await stream.until("run:end"))[-1]["data"]["text"] == "One two"


async def test_since_a_time_with_equal_times(alice: User, conversation: UUID) -> None:
    await fill(alice, conversation, 10)
    events = await log(conversation)
    moment = events[-1]["at"]
    wanted = [event["seq"] for event in events if event["at"] >= moment]
    async with request(alice, PATH, query=f"since={moment}") as stream:
        found: list[int] = []
        while len(found) < len(wanted):
            found += [frame["seq"] for frame in frames(await stream.until("message:new"))]
        assert found == wanted


async def test_ids_that_are_none_and_ids_that_count_no_more(alice: User, conversation: UUID) -> None:
    for nonsense in ("nonsense", "gA==", "k" * 20000, "漢"):
        async with request(alice, PATH, query=f"after={nonsense}") as stream:
            assert (stream.status, (await problem(stream))["code"]) == (400, "invalid")
    async with request(alice, PATH, query="since=yesterday") as stream:
        assert stream.status == 400
    before = await cursor_of(alice)
    await in_thread(lambda: list(maintenance.renew_epochs(conversation=conversation)))
    async with request(alice, PATH, last_event_id=before) as stream:
        answer = await problem(stream)
        assert (stream.status, answer["code"], answer["reason"]) == (409, "resync_required", "epoch")


async def problem(stream: Stream) -> Any:
    return json.loads((await stream.body.get()) or b"")


async def test_a_new_numbering_ends_what_is_open(alice: User, conversation: UUID) -> None:
    async with request(alice, PATH) as stream:
        await first_id(stream)
        await in_thread(lambda: list(maintenance.renew_epochs(conversation=conversation)))
        await stream.rest(seconds=3)


async def test_nobody_in_particular(alice: User) -> None:
    async with request(alice, PATH, authorization="Bearer nonsense") as stream:
        assert stream.status == 401


async def test_too_much_of_one_conversation_is_a_snapshot(alice: User, bob: User, conversation: UUID) -> None:
    before = await cursor_of(alice)
    other = await begun(bob, alice)
    await fill(bob, conversation, 30)
    with override_settings(CATCHUP_MAX=20):
        async with request(alice, PATH, last_event_id=before) as stream:
            resync = (await stream.until("resync"))[-1]
            frame = json.loads(resync["data"])
            assert (frame["conversation"], frame["reason"], frame["head"]) == (str(conversation), "too_far", 32)
            assert len(frame["snapshot"]["state"]["messages"]) == 30
            assert {one["conversation"] for one in frames(await stream.until("member:add"))} == {str(other)}
        async with request(alice, PATH, last_event_id=resync["id"]) as stream:
            await write(bob, conversation, "after that")
            found = frames(await stream.until("message:new"))
            assert [one["seq"] for one in found if one["conversation"] == str(conversation)] == [33]


async def test_a_reader_that_is_too_slow_is_served_from_the_log(alice: User, conversation: UUID) -> None:
    """Nothing is read while 3 MB are written: what waits is bounded, and nothing is missing afterwards."""
    with override_settings(BATCH_MAX_BYTES=65536):
        async with request(alice, PATH) as stream:
            await write(alice, conversation, "begin")
            await stream.until("message:new")
            await tapped(conversation)
            await fill(alice, conversation, 100, "x" * 30_000)
            seqs: list[int] = []
            while not seqs or seqs[-1] < 103:
                seqs += [frame["seq"] for frame in frames(await stream.until("message:new"))]
            assert seqs == list(range(4, 104))


async def test_idle_conversations_open_no_rooms(alice: User) -> None:
    ids = [await begun(alice) for _ in range(5)]
    with override_settings(STREAM_ROOMS=2, STREAM_ROOM_SECONDS=1, POLL_MS=100):
        await asyncio.sleep(1.1)
        async with request(alice, PATH) as stream:
            await first_id(stream)
            assert not hub().rooms
            for id_ in ids:
                await write(alice, id_)
                await stream.until("message:new")
            assert len(hub().rooms) <= 3  # one may be on its way in
            await so(lambda: not hub().rooms)
            await write(alice, ids[0], "again")
            assert frames(await stream.until("message:new"))[-1]["data"]["text"] == "again"
    await so(lambda: not hub().rooms)


class Client:
    """Follows a stream as a browser does: it is cut here and there, and goes on with the last id that it saw."""

    def __init__(self, user: User, last: str) -> None:
        self.user = user
        self.last = last
        self.seqs: Log = defaultdict(list)

    async def follow(self, pieces: int, enough: Callable[[], bool]) -> None:
        """Take `pieces` events, or fewer where that is `enough`."""
        async with request(self.user, PATH, last_event_id=self.last) as stream, asyncio.timeout(20):
            while pieces and not enough():
                with suppress(TimeoutError):
                    pieces -= self._take(await asyncio.wait_for(stream.body.get(), 0.3))

    def _take(self, piece: bytes | None) -> int:
        """Note what came; how many events that were."""
        assert piece, "the stream ended"
        fields = dict(line.split(": ", 1) for line in piece.decode().strip().split("\n"))
        if "data" not in fields or "id" not in fields:
            return 0
        frame = json.loads(fields["data"])
        self.last = fields["id"]
        self.seqs[frame["conversation"]].append(frame["seq"])
        return 1

    def has(self, heads: dict[str, int]) -> bool:
        return all(self.seqs[id_][-1:] == [head] for id_, head in heads.items())


async def test_one_look_at_a_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that began at the same place would bring everything twice."""
    looking, most = 0, 0

    def counted(
        readers: list[tuple[UUID, StreamCursor]], look: Callable[..., list[Look]] = selectors.look
    ) -> list[Look]:
        nonlocal looking, most
        looking += len(readers)
        most = max(most, looking)
        time.sleep(0.05)
        looking -= len(readers)
        return look(readers)

    monkeypatch.setattr(selectors, "look", counted)
    async with request(alice, PATH) as stream:
        await first_id(stream)
        await so(lambda: bool(hub().streams._readers.get(alice.id)))
        for _ in range(5):
            hub().streams.heard(alice.id)
            await asyncio.gather(hub().streams.look(), hub().streams.look())
    assert most == 1


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
async def test_cut_anywhere_every_event_comes_once_and_in_order(seed: int) -> None:
    """Several conversations of two users who write at the same time, some of them new; few may be named in an id."""
    random = Random(seed)
    alice, bob = await in_thread(new_user, "Alice"), await in_thread(new_user, "Bob")
    ids = [await begun(bob, alice) for _ in range(4)]
    client = Client(alice, await cursor_of(alice))
    before = {str(id_): len(await log(id_)) for id_ in ids}
    bounds = {"STREAM_AHEAD": random.choice([1, 2, 64]), "STREAM_ROOMS": random.choice([1, 3]), "POLL_MS": 100}
    with override_settings(**bounds):
        writing = asyncio.create_task(_write(Random(seed), bob, alice, ids))
        while not writing.done():
            await client.follow(random.randint(1, 12), lambda: writing.done())
        await writing
        heads = {str(id_): len(await log(id_)) for id_ in ids}
        while not client.has(heads):
            await client.follow(random.randint(1, 12), lambda: client.has(heads))
    assert {id_: seqs for id_, seqs in client.seqs.items() if seqs} == {
        id_: list(range(before.get(id_, 0) + 1, head + 1)) for id_, head in heads.items()
    }


async def _write(random: Random, bob: User, alice: User, ids: list[UUID]) -> None:
    for _ in range(12):
        if random.random() < 0.2:
            ids.append(await begun(bob, alice))
        some = [random.choice(ids) for _ in range(random.randint(1, 6))]
        await asyncio.gather(*(write(bob, id_) for id_ in some))
        await asyncio.sleep(random.random() / 20)
    await asyncio.gather(*(write(bob, id_) for id_ in ids))
