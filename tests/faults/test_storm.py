"""A storm: the server that holds all clients dies, and they come to the other one at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psutil
import pytest

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from conversations.services import conversations, messages
from tests.conftest import new_user
from tests.faults.checker import Frame, History, violations
from tests.faults.client import Client
from tests.faults.cluster import Cluster
from tests.faults.support import connected, log_of, until

MISSED = 20


@dataclass(frozen=True)
class Plan:
    rooms: int
    members: int


class Refugee(Client):
    """Knows when it said `hello`, when it was welcomed, and when it had everything."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.said_hello = self.was_welcomed = self.was_live = 0.0
        self.refusals = 0

    def hello(self) -> Frame:
        self.said_hello = time.monotonic()
        return super().hello()

    def welcomed(self, frame: Frame) -> None:
        self.was_welcomed = time.monotonic()
        super().welcomed(frame)

    def receive(self, frame: Frame) -> None:
        super().receive(frame)
        if frame["type"] == "error":
            self.refusals += 1
        if frame["type"] == "catchup" and frame["done"]:
            self.was_live = time.monotonic()


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(rooms=4, members=25), id="100"),
        pytest.param(Plan(rooms=20, members=50), id="1000", marks=pytest.mark.faults),
    ],
)
async def test_all_are_back(cluster: Callable[..., Cluster], plan: Plan, say: Callable[[str], None]) -> None:
    history = History()
    people = [await in_thread(new_user, "Somebody") for _ in range(plan.rooms * plan.members)]
    async with cluster(webs=2) as running:
        places: list[UUID] = []
        clients: list[Refugee] = []
        for number in range(plan.rooms):
            inside = people[number * plan.members : (number + 1) * plan.members]
            places.append(await in_thread(place_of, inside))
            clients += [await refugee(person, running.addresses[:1], history, places[-1]) for person in inside]
        async with connected(*clients):
            await until(lambda: all(one.was_live for one in clients), seconds=60)
            for one in clients:
                one.move(running.addresses[1:])
            survivor = psutil.Process(running.webs[1].process.pid)
            before, begun = survivor.cpu_times(), time.monotonic()
            running.webs[0].kill()
            await in_thread(talk, places, people, plan, history)
            heads = {str(place): len(await log_of(place)) for place in places}
            await until(lambda: all(one.has(id_, heads[id_]) for one in clients for id_ in one.places), seconds=60)
            after = survivor.cpu_times()
        cost = (after.user + after.system - before.user - before.system) / len(clients) * 1000
        live = sorted(one.was_live - one.said_hello for one in clients)
        back = sorted(one.was_live - begun for one in clients)
        say(
            f"{len(clients)} clients, {sum(one.refusals for one in clients)} refusals; from hello to live: p50 "
            f"{live[len(live) // 2]:.2f} s, p99 {live[len(live) * 99 // 100]:.2f} s; from the cut: p50 "
            f"{back[len(back) // 2]:.2f} s, p99 {back[len(back) * 99 // 100]:.2f} s; {cost:.2f} ms of server CPU each"
        )
        assert violations(history, {str(place): await log_of(place) for place in places}) == []
        assert live[len(live) * 99 // 100] < 3


async def refugee(person: User, addresses: list[str], history: History, place: UUID) -> Refugee:
    token = (await in_thread(tokens.issue, person))["access"]
    made = Refugee(person.username, token, addresses, history, len(history.views))
    made.enter(str(place))
    return made


def place_of(inside: list[User]) -> UUID:
    members = [{"user": str(person.id), "role": "editor"} for person in inside[1:]]
    return conversations.create(user=inside[0], members=members).result().conversation.id


def talk(places: list[UUID], people: list[User], plan: Plan, history: History) -> None:
    """MISSED messages in each conversation, by somebody whose client does not know of it."""
    waiting = []
    for count in range(MISSED * len(places)):
        place, user = places[count % len(places)], people[count % len(places) * plan.members]
        history.note("invoke", "elsewhere", str(place), f"missed-{count}")
        waiting.append(messages.send(user=user, conversation=place, text="You missed this", cmid=f"missed-{count}"))
    for one in waiting:
        one.result()
