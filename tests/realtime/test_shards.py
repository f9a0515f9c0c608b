"""Sub-rooms: never too many in one, whoever asks at the same time and whatever becomes of processes and of Redis."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from realtime import broadcast
from realtime.groups import group_of, rooms_key
from realtime.hub import hub
from realtime.shards import Shards
from tests.api import Api
from tests.faults.support import until
from tests.realtime.support import join, joined, seqs, write
from tests.sockets import Socket, connect


@contextmanager
def small(**settings: Any) -> Iterator[None]:
    """Two connections fill a sub-room."""
    with override_settings(ROOM_SIZE=2, **settings):
        yield


@asynccontextmanager
async def process() -> AsyncIterator[Shards]:
    """The seats of one process."""
    shards = Shards(get_channel_layer(), lambda conversations: None)
    try:
        yield shards
    finally:
        await shards.stop()


async def sit(shards: Shards, conversation: UUID) -> tuple[object, int]:
    """A new connection, and the number of its sub-room."""
    await shards.reserve(conversation)
    member = object()
    return member, shards.sit(conversation, member)


async def told(shards: Shards, conversation: UUID) -> None:
    """Wait until Redis knows everything."""
    shards.tell([conversation])
    if shards._telling:
        await asyncio.wait([shards._telling])


async def in_redis(conversation: UUID) -> Counter[int]:
    """How many seats of each sub-room are taken."""
    layer: Any = get_channel_layer()
    taken: Counter[int] = Counter()
    for field, value in (await layer.server_of(conversation).hgetall(rooms_key(conversation))).items():
        if b"|" in field:
            taken[int(field.split(b"|")[0])] += int(value.split(b"|")[0])
    return taken


async def become(conversation: UUID, wanted: dict[int, int]) -> None:
    """Wait until these seats are taken."""
    deadline = time.monotonic() + 5
    while (found := await in_redis(conversation)) != wanted:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.01)


async def forget(conversation: UUID) -> None:
    """What FLUSHALL does to it."""
    layer: Any = get_channel_layer()
    await layer.server_of(conversation).delete(rooms_key(conversation))


async def test_the_51st_opens_the_next_one(realtime_layer: None) -> None:
    conversation = new_id()
    async with process() as shards:
        numbers = [(await sit(shards, conversation))[1] for _ in range(51)]
    assert numbers == [0] * 50 + [1]


async def test_seats_that_get_free_are_taken_first(realtime_layer: None) -> None:
    conversation = new_id()
    with small():
        async with process() as shards:
            people = [await sit(shards, conversation) for _ in range(5)]
            assert [number for _, number in people] == [0, 0, 1, 1, 2]
            shards.stand_up(conversation, people[1][0])
            assert (await sit(shards, conversation))[1] == 0
            shards.stand_up(conversation, people[4][0])
            await told(shards, conversation)
            assert await in_redis(conversation) == {0: 2, 1: 2}


async def test_with_the_last_connection_everything_is_gone(realtime_layer: None) -> None:
    conversation = new_id()
    async with process() as shards:
        member, _ = await sit(shards, conversation)
        shards.stand_up(conversation, member)
        await told(shards, conversation)
        assert await in_redis(conversation) == {}
        assert shards._seats == {}


def test_eight_at_once_never_give_one_sub_room_too_many() -> None:
    conversation = new_id()

    async def take(count: int) -> Counter[int]:
        async with process() as shards:
            people = await asyncio.gather(*(sit(shards, conversation) for _ in range(count)))
            return Counter(number for _, number in people)

    async def at_the_end() -> Counter[int]:
        return await in_redis(conversation)

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(lambda _: asyncio.run(take(25)), range(8)), Counter[int]())
    assert taken == {0: 50, 1: 50, 2: 50, 3: 50}
    assert asyncio.run(at_the_end()) == taken


async def test_a_dead_process_frees_its_seats(realtime_layer: None) -> None:
    conversation = new_id()
    with small(ROOM_SEAT_SECONDS=0.3):
        async with process() as dead, process() as living:
            await sit(dead, conversation)
            await sit(dead, conversation)
            assert (await sit(living, conversation))[1] == 1
            await asyncio.sleep(0.4)
            assert [(await sit(living, conversation))[1] for _ in range(3)] == [0, 0, 1]


async def test_what_others_took_meanwhile_is_theirs(realtime_layer: None) -> None:
    """A process that was asleep for too long, or a Redis that lost everything: who is late moves."""
    conversation = new_id()
    with small():
        async with process() as one, process() as other:
            people = [await sit(one, conversation) for _ in range(3)]
            await forget(conversation)
            assert [(await sit(other, conversation))[1] for _ in range(2)] == [0, 0]
            await told(one, conversation)
            assert await in_redis(conversation) == {0: 2, 1: 2, 2: 1}
            assert one.lowest(conversation) == 1
            seats = one._seats[conversation]
            assert sorted(seats.sitting[member] for member, _ in people) == [1, 1, 2]


async def test_without_redis_this_process_counts_its_own(realtime_layer: None, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = new_id()

    async def away(self: Shards, conversations: Any) -> Any:
        raise ConnectionError

    with small():
        async with process() as shards:
            with monkeypatch.context() as patch:
                patch.setattr(Shards, "_ask", away)
                assert [(await sit(shards, conversation))[1] for _ in range(3)] == [0, 0, 1]
            shards._silent_until = 0
            await told(shards, conversation)
            assert await in_redis(conversation) == {0: 2, 1: 1}


async def test_nonsense_in_redis_is_cleared_away(realtime_layer: None) -> None:
    conversation, layer = new_id(), get_channel_layer()
    async with process() as shards:
        await layer.server_of(conversation).hset(rooms_key(conversation), mapping={"x": "y", "1|z": "w", "rooms": "7"})
        assert (await sit(shards, conversation))[1] == 0
        assert len(await layer.server_of(conversation).hkeys(rooms_key(conversation))) == 2
        await layer.server_of(conversation).set(rooms_key(conversation), "not even a hash", ex=60)
        assert (await sit(shards, conversation))[1] == 0


async def test_who_stops_waiting_takes_no_seat(realtime_layer: None) -> None:
    conversation = new_id()
    async with process() as shards:
        waiting = asyncio.create_task(shards.reserve(conversation))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await told(shards, conversation)
        assert await in_redis(conversation) == {}


SIZE, PROCESSES = 3, 3
WHICH = st.integers(0, PROCESSES - 1)


class Building(RuleBasedStateMachine):
    """Processes seat people, lose them, die, and tell Redis or find it empty, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.sizes = override_settings(ROOM_SIZE=SIZE)
        self.sizes.enable()
        self.conversation = new_id()
        self.processes = [self.run(self.make()) for _ in range(PROCESSES)]
        self.people: list[list[object]] = [[] for _ in range(PROCESSES)]

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    async def make(self) -> Shards:
        return Shards(get_channel_layer(), lambda conversations: None)

    @rule(which=WHICH, count=st.integers(1, 5))
    def come(self, which: int, count: int) -> None:
        async def together() -> list[tuple[object, int]]:
            return await asyncio.gather(*(sit(self.processes[which], self.conversation) for _ in range(count)))

        self.people[which] += [member for member, _ in self.run(together())]

    @precondition(lambda self: any(self.people))
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        which = data.draw(st.sampled_from([number for number, some in enumerate(self.people) if some]))
        member = data.draw(st.sampled_from(self.people[which]))
        self.people[which].remove(member)

        async def stand_up() -> None:
            self.processes[which].stand_up(self.conversation, member)
            await told(self.processes[which], self.conversation)

        self.run(stand_up())

    @rule(which=WHICH)
    def die(self, which: int) -> None:
        """Its seats are free when their time is over; here they never are, the next one has another id."""
        self.processes[which], self.people[which] = self.run(self.make()), []

    @rule()
    def flush(self) -> None:
        self.run(forget(self.conversation))

    @rule(which=WHICH)
    def renew(self, which: int) -> None:
        self.run(self.renewed(self.processes[which]))

    async def renewed(self, shards: Shards) -> None:
        await told(shards, self.conversation)

    @invariant()
    def redis_never_gives_too_many(self) -> None:
        assert all(count <= SIZE for count in self.run(in_redis(self.conversation)).values())

    @invariant()
    def everybody_sits_on_a_seat(self) -> None:
        for shards, people in zip(self.processes, self.people, strict=True):
            seats = shards._seats.get(self.conversation)
            sitting = Counter(seats.sitting.values()) if seats else Counter[int]()
            assert sitting.total() == len(people)
            assert not seats or (sitting == +seats.held and sitting == +seats._occupied)

    def teardown(self) -> None:
        """Once all have renewed, no sub-room has too many, and none that is empty counts."""
        self.flush()
        for shards in self.processes:
            self.run(self.renewed(shards))
        everybody = sum((Counter(s._seats[self.conversation].sitting.values())
                         for s in self.processes if self.conversation in s._seats), Counter[int]())  # fmt: skip
        assert everybody == self.run(in_redis(self.conversation))
        assert all(count <= SIZE for count in everybody.values())
        self.sizes.disable()
        self.loop.close()


TestBuilding = Building.TestCase
TestBuilding.settings = hypothesis_settings(max_examples=20, stateful_step_count=20, deadline=None)


async def test_joined_says_which(alice: User, conversation: UUID, realtime_layer: None) -> None:
    with small():
        async with joined(alice, conversation), joined(alice, conversation), connect(alice) as third:
            frame = await join(third, conversation)
            assert (frame["shard"], frame["online"]) == (1, 1)
            await third.say(type="leave", ref=1, conversation=str(conversation))
            await third.hear("ok")
            assert (await join(third, conversation))["shard"] == 1


async def test_one_log_one_order_one_count(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    with small():
        async with joined(alice, conversation) as a, joined(bob, conversation) as b, joined(bob, conversation) as c:
            for number in range(5):
                await write(alice, conversation, f"Message {number}")
            assert [await seqs(socket, 7) for socket in (a, b, c)] == [[3, 4, 5, 6, 7]] * 3
            assert hub().online(hub().rooms[conversation]) == 2


async def test_hints_follow_when_the_first_sub_room_is_left(
    alice: User, bob: User, conversation: UUID, realtime_layer: None
) -> None:
    with small(POLL_MS=60_000):
        async with connect(bob) as last:
            async with joined(alice, conversation), joined(alice, conversation):
                assert (await join(last, conversation))["shard"] == 1
                assert hub().shards.lowest(conversation) == 0
            await until(lambda: hub().subscriptions._have.get(conversation) == {1})
            await write(alice, conversation, "Only those behind hear this")
            assert (await last.hear("message:new", seconds=2))["seq"] == 3


async def test_a_lost_number_of_sub_rooms_is_found_out(
    alice: User, bob: User, conversation: UUID, realtime_layer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes' hints reach the second sub-room again soon after Redis lost how many there are."""
    with small(POLL_MS=200):
        async with process() as elsewhere, connect(bob) as socket:
            await sit(elsewhere, conversation)
            await sit(elsewhere, conversation)
            assert (await join(socket, conversation))["shard"] == 1
            await forget(conversation)
            monkeypatch.setattr(broadcast, "listeners", set())  # as if another process had written it
            await write(alice, conversation, "This comes by poll")
            assert (await socket.hear("message:new"))["seq"] == 3
            await become(conversation, {1: 1})


async def test_groups_are_named_by_the_protocol(alice: User, conversation: UUID, realtime_layer: None) -> None:
    layer: Any = get_channel_layer()
    async with joined(alice, conversation):
        name = f"asgi__group__{group_of(conversation, 0)}"
        assert name == f"asgi__group__c.{conversation.hex}.s0"
        assert (await layer.server_of(conversation).pubsub_numsub(name))[0][1] == 1


@pytest.fixture
def limited() -> Iterator[None]:
    with override_settings(ROOM_LIMIT=2):
        yield


async def test_a_full_room(
    limited: None, alice: User, bob: User, conversation: UUID, alice_socket: Socket, bob_socket: Socket
) -> None:
    async with joined(alice, conversation):
        await join(alice_socket, conversation)
        await bob_socket.say(type="join", ref="j", conversation=str(conversation))
        error = await bob_socket.hear("error")
        assert (error["code"], error["ref"], error["retryable"]) == ("room_full", "j", True)
        async with connect(bob, resume=[{"conversation": str(conversation), "seq": 0}]) as third:
            assert third.welcome["resumed"][0]["reason"] == "room_full"
    assert (await join(bob_socket, conversation))["shard"] == 0


async def test_a_stream_of_events_is_a_connection_too(
    limited: None, as_bob: Api, alice: User, conversation: UUID, realtime_layer: None
) -> None:
    async with joined(alice, conversation), joined(alice, conversation):
        path = f"conversations/{conversation}/events/"
        answer = await in_thread(as_bob.get, path, Accept="text/event-stream")
        assert (answer.status, answer.code) == (409, "room_full")
