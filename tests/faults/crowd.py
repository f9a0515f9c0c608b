"""Many clients in a few conversations: who they are, what they say, and when all is quiet again."""

import asyncio
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from uuid import UUID

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.models import Run
from conversations.services import conversations
from tests.conftest import new_user
from tests.faults.checker import Frame, History
from tests.faults.client import Client
from tests.faults.support import client, log_of, until, until_stored

PLACES = 4
QUESTIONS = ("say hello", "slow 30 20", "slow 100 20", "unicode", "cut 3")


@dataclass(frozen=True)
class Plan:
    """How much is said, and for how many seconds there are faults meanwhile."""

    messages: int
    seconds: float


@dataclass
class Crowd:
    """`people` in `places`, each in two of them, through `clients`."""

    clients: list[Client]
    places: list[UUID]
    history: History

    async def talk(self, chance: Random, plan: Plan, *, asking: float = 0.1) -> None:
        """Say everything in about `plan.seconds`; a part of it, `asking`, asks the model."""
        pause = plan.seconds / plan.messages
        for number in range(plan.messages):
            one = chance.choice(self.clients)
            place = chance.choice(list(one.places))
            if chance.random() < asking:
                await one.send(place, chance.choice(QUESTIONS), assistant="openai")
            else:
                await one.send(place, f"Message {number} " + "漢👋x" * chance.randrange(100))
            await asyncio.sleep(pause * chance.uniform(0, 2))

    async def settle(self) -> None:
        """Until everything is acknowledged, every run has ended, and every client is at the head of its logs."""
        await until(lambda: all(one.settled for one in self.clients), seconds=60, what="unacknowledged messages")
        unended = Run.objects.filter(conversation__in=self.places, ended_at=None)
        await until_stored(lambda: not unended.exists(), seconds=90)
        heads = {id_: len(log) for id_, log in (await self.logs()).items()}
        there = [(one, id_) for one in self.clients for id_ in one.places]
        await until(lambda: all(one.has(id_, heads[id_]) for one, id_ in there), seconds=30, what="clients behind")

    async def logs(self) -> dict[str, list[Frame]]:
        return {str(place): await log_of(place) for place in self.places}

    def report(self, logs: dict[str, list[Frame]]) -> str:
        """One line of what happened."""
        events = [event for log in logs.values() for event in log]
        statuses = [event["data"]["status"] for event in events if event["type"] == "run:end"]
        counts = {status: statuses.count(status) for status in sorted(set(statuses))}
        connections = sum(one.connections for one in self.clients)
        acknowledged, again = (len(self.history.of(kind)) for kind in ("ok", "info"))
        return (
            f"{len(events)} events, {acknowledged} acknowledged, {again} sent again after an error,"
            f" {connections} connections, runs {counts}"
        )


async def gather(count: int, addresses: Callable[[int], list[str]], chance: Random) -> Crowd:
    """`count` new people, each with a client that connects to `addresses(number)`."""
    people = [await in_thread(new_user, f"Person{number}") for number in range(count)]
    places = [await _place(people, number) for number in range(PLACES)]
    history = History()
    clients = [
        await client(
            person,
            addresses(position),
            history,
            [places[position % PLACES], places[(position + 1) % PLACES]],
            seed=chance.randrange(10**6),
        )
        for position, person in enumerate(people)
    ]
    return Crowd(clients, places, history)


async def _place(people: list[User], number: int) -> UUID:
    """A conversation of half of the people; everybody is in two."""
    inside = [
        person for position, person in enumerate(people) if number in (position % PLACES, (position + 1) % PLACES)
    ]
    members = [{"user": str(person.id), "role": "editor"} for person in inside[1:]]
    made = await in_thread(lambda: conversations.create(user=inside[0], members=members).result())
    return made.conversation.id


def new_seed() -> int:
    """The seed of a schedule: FAULT_SEED, or another one each time."""
    return int(os.environ.get("FAULT_SEED") or random.randrange(10**6))
