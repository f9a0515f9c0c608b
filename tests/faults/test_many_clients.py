"""Many clients, several processes, kill -9 at random, Redis flushed: what was acknowledged is kept, once, in order.

The schedule comes from a seed, which is printed; FAULT_SEED repeats it (as far as processes can be repeated).
"""

import asyncio
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.models import Run
from conversations.services import conversations
from tests.conftest import new_user
from tests.faults.checker import Frame, History, violations
from tests.faults.client import Client
from tests.faults.cluster import Cluster, Process
from tests.faults.support import client, connected, damage, log_of, until, until_stored

WEBS, WORKERS, CLIENTS, PLACES = 3, 2, 20, 4
QUESTIONS = ("say hello", "slow 30 20", "slow 100 20", "unicode", "cut 3")
SETTINGS = {"LEASE_SECONDS": "3", "SWEEP_SECONDS": "1", "CATCHUP_MAX": "100000"}


@dataclass(frozen=True)
class Plan:
    """How much is said, and for how many seconds processes are killed meanwhile."""

    messages: int
    seconds: float


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(messages=400, seconds=8), id="short"),
        pytest.param(Plan(messages=2000, seconds=60), id="long", marks=pytest.mark.faults),
    ],
)
async def test_nothing_is_lost_doubled_or_out_of_order(
    cluster: Callable[..., Cluster], plan: Plan, say: Callable[[str], None]
) -> None:
    seed = int(os.environ.get("FAULT_SEED") or random.randrange(10**6))
    say(f"FAULT_SEED={seed}")
    chance, history = Random(seed), History()
    people = [await in_thread(new_user, f"Person{number}") for number in range(CLIENTS)]
    places = [await _place(people, number) for number in range(PLACES)]
    async with cluster(webs=WEBS, workers=WORKERS, **SETTINGS) as running:
        clients = await _clients(people, places, running, history, chance)
        async with connected(*clients):
            chaos = asyncio.create_task(_chaos(running, chance, plan.seconds))
            await _talk(clients, chance, plan)
            await chaos
            begun = time.monotonic()
            await _settle(clients, places)
            quiet = time.monotonic() - begun
        logs = {str(place): await log_of(place) for place in places}
        say(f"quiet {quiet:.1f} s after the last fault; {_report(clients, history, logs)}")
        assert violations(history, logs) == []
        assert await in_thread(damage, places) == []
        assert len(history.of("invoke")) == plan.messages
        assert not history.of("fail")
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def _place(people: list[User], number: int) -> UUID:
    """A conversation of half of the people; everybody is in two."""
    inside = [
        person for position, person in enumerate(people) if number in (position % PLACES, (position + 1) % PLACES)
    ]
    members = [{"user": str(person.id), "role": "editor"} for person in inside[1:]]
    made = await in_thread(lambda: conversations.create(user=inside[0], members=members).result())
    return made.conversation.id


async def _clients(
    people: list[User], places: list[UUID], running: Cluster, history: History, chance: Random
) -> list[Client]:
    return [
        await client(
            person,
            running.addresses,
            history,
            [places[position % PLACES], places[(position + 1) % PLACES]],
            seed=chance.randrange(10**6),
        )
        for position, person in enumerate(people)
    ]


async def _talk(clients: list[Client], chance: Random, plan: Plan) -> None:
    """Everything is said while processes are killed; every tenth message asks the model."""
    pause = plan.seconds / plan.messages
    for number in range(plan.messages):
        one = chance.choice(clients)
        place = chance.choice(list(one.places))
        if chance.random() < 0.1:
            await one.send(place, chance.choice(QUESTIONS), assistant="openai")
        else:
            await one.send(place, f"Message {number} " + "漢👋x" * chance.randrange(100))
        await asyncio.sleep(pause * chance.uniform(0, 2))


async def _chaos(running: Cluster, chance: Random, seconds: float) -> None:
    """Kill something every second or so; each starts again a little later. Redis is flushed once."""
    over = time.monotonic() + seconds
    flush_at = time.monotonic() + seconds / 2
    restarts: list[asyncio.Task[None]] = []
    while time.monotonic() < over:
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        victim = chance.choice([*running.webs, *running.workers])
        if victim.alive:
            restarts.append(asyncio.create_task(_kill(victim, chance.uniform(0, 1))))
        if flush_at < time.monotonic():
            flush_at = over
            await asyncio.to_thread(running.redis.client().flushall)
    await asyncio.gather(*restarts)
    for web in running.webs:
        await web.ready()


async def _kill(victim: Process, pause: float) -> None:
    await asyncio.to_thread(victim.kill)
    await asyncio.sleep(pause)
    victim.start()


async def _settle(clients: list[Client], places: list[UUID]) -> None:
    """Until everything is acknowledged, every run has ended, and every client is at the head of its logs."""
    await until(lambda: all(one.settled for one in clients), seconds=60, what="unacknowledged messages")
    unended = Run.objects.filter(conversation__in=places, ended_at=None)
    await until_stored(lambda: not unended.exists(), seconds=90)
    heads = {str(place): len(await log_of(place)) for place in places}
    await until(lambda: all(one.has(id_, heads[id_]) for one in clients for id_ in one.places), seconds=30)


def _report(clients: list[Client], history: History, logs: dict[str, list[Frame]]) -> str:
    events = [event for log in logs.values() for event in log]
    statuses = [event["data"]["status"] for event in events if event["type"] == "run:end"]
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    connections = sum(one.connections for one in clients)
    return (
        f"{len(events)} events, {len(history.of('ok'))} acknowledged, {len(history.of('info'))} sent again after"
        f" an error, {connections} connections, runs {counts}"
    )
