"""Sub-rooms over several processes: one log, one order, one count; seats of a dead process are free again."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from realtime.groups import rooms_key
from tests.faults.checker import Frame, History, violations
from tests.faults.client import Client
from tests.faults.cluster import Cluster
from tests.faults.support import connected, log_of, until

SOCKETS = 110


class Guest(Client):
    """Writes down what comes, as it comes, what it was told when it joined, and how many are there."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.joined: list[Frame] = []
        self.online = 0
        self.heard: list[int] = []

    def receive(self, frame: Frame) -> None:
        if frame["type"] == "joined":
            self.joined.append(frame)
        self.online = frame.get("online", self.online)
        self.heard += [event["seq"] for event in frame.get("events", [frame] if "data" in frame else ())]
        super().receive(frame)


async def guests(
    people: list[User], conversation: Any, addresses: list[str], history: History, sockets: int = SOCKETS
) -> list[Guest]:
    """Connections of `people`, at the addresses in turn."""
    made = []
    for number in range(sockets):
        person = people[number % len(people)]
        token = (await in_thread(tokens.issue, person))["access"]
        address = addresses[number % len(addresses)]
        made.append(Guest(person.username, token, [address], history, number))
        made[-1].enter(str(conversation))
    return made


def kill(running: Cluster, clients: list[Guest]) -> None:
    """The first server dies; its clients go to the other one."""
    for one in clients:
        one.move(running.addresses[1:])
    running.webs[0].kill()


def seats(running: Cluster, conversation: Any) -> Counter[int]:
    """Seats by sub-room, over all processes."""
    taken: Counter[int] = Counter()
    entries: Any = running.redis.client().hgetall(rooms_key(conversation))
    for field, value in entries.items():
        if b"|" in field:
            taken[int(field.split(b"|")[0])] += int(value.split(b"|")[0])
    return taken


async def settled(running: Cluster, conversation: Any, seconds: float = 20) -> float:
    """Wait until everybody has a seat, and no sub-room too many; how long it took."""

    def is_so() -> bool:
        taken = seats(running, conversation)
        return taken.total() == SOCKETS and max(taken.values()) <= 50

    return await until(is_so, seconds)


async def test_more_than_fifty_connections_at_two_servers(
    alice: User, bob: User, conversation: Any, cluster: Callable[..., Cluster]
) -> None:
    history = History()
    async with cluster(webs=2, ROOM_SEAT_SECONDS="3") as running:
        clients = await guests([alice, bob], conversation, running.addresses, history)
        async with connected(*clients):
            await until(lambda: all(one.joined for one in clients))
            await settled(running, conversation)  # where Redis was slow to answer, a process counted only its own
            for number in range(20):
                await clients[number].send(str(conversation), f"Message {number}")
            await until(lambda: all(one.has(str(conversation), 22) for one in clients))
            assert all(one.heard == list(range(1, 23)) for one in clients)
            # Who came before another process was heard of, is told as soon as it is.
            await until(lambda: {one.online for one in clients} == {2})
            [late] = await guests([bob], conversation, running.addresses[:1], History(), sockets=1)
            async with connected(late):
                await until(lambda: late.joined)
                assert late.joined[0]["online"] == 2

            running.redis.client().flushall()
            await settled(running, conversation)

            kill(running, clients)
            await until(lambda: all(one.ready() for one in clients))
            await settled(running, conversation)
            await clients[0].send(str(conversation), "After all that")
            await until(lambda: all(one.has(str(conversation), 23) for one in clients))
        assert violations(history, {str(conversation): await log_of(conversation)}) == []


@pytest.mark.faults
async def test_the_seats_of_a_dead_process_are_free_within_70_s(
    alice: User, bob: User, conversation: Any, cluster: Callable[..., Cluster], say: Callable[[str], None]
) -> None:
    async with cluster(webs=2) as running:
        clients = await guests([alice, bob], conversation, running.addresses, History())
        async with connected(*clients):
            await settled(running, conversation)
            kill(running, clients)
            seconds = await settled(running, conversation, seconds=70)
            say(f"the seats of a dead process were free after {seconds:.1f} s")
