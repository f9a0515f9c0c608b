"""People come, talk and leave all the time, some as if a cable was cut: nothing of them is left anywhere."""

from collections.abc import Callable
from dataclasses import dataclass

import psutil
import pytest

from accounts.models import User
from accounts.services import tokens
from bench.visits import Diary, Pace, Visitor
from chatproject.lib.threads import in_thread
from realtime.tasks import end, run_soon
from tests.conftest import new_user
from tests.faults.cluster import Cluster
from tests.faults.support import damage, log_of, place_of, until

PEOPLE = 12
HURRIED = Pace(stay=(0.1, 0.6), away=(0.0, 0.1))
REGISTRIES = "connections_open", "rooms_open"
MIB = 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """So many `visits`, after `warm_up` others; `mib` that a server may grow meanwhile."""

    warm_up: int
    visits: int
    mib: float


async def visitors(people: list[User], running: Cluster, diary: Diary) -> list[Visitor]:
    """Everybody in a conversation of their own, at the servers in turn."""
    made = []
    for number, person in enumerate(people):
        place, token = await place_of(person), (await in_thread(tokens.issue, person))["access"]
        url = running.webs[number % len(running.webs)].url
        made.append(Visitor(str(place), token, url, diary, HURRIED))
    return made


def memory(running: Cluster) -> list[float]:
    return [psutil.Process(web.process.pid).memory_full_info().uss / MIB for web in running.webs]


def left(running: Cluster) -> list[float]:
    return [web.metric(name) for web in running.webs for name in REGISTRIES]


def seats(running: Cluster) -> list[bytes]:
    """What Redis holds of who is where."""
    client = running.redis.client()
    return [*client.scan_iter("presence:*"), *client.scan_iter("rooms:*")]


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(0, 30, 1000), id="short"),
        pytest.param(Plan(1000, 2000, 5), id="long", marks=pytest.mark.faults),
    ],
)
async def test_nothing_is_left_of_those_who_were_here(
    cluster: Callable[..., Cluster], plan: Plan, say: Callable[[str], None]
) -> None:
    people = [await in_thread(new_user, f"Person{number}") for number in range(PEOPLE)]
    diary = Diary()
    async with cluster(webs=2, PRESENCE_GRACE_MS="200") as running:
        lives = [run_soon(one.live()) for one in await visitors(people, running, diary)]
        await until(lambda: diary.visits >= plan.warm_up, seconds=600)
        before = memory(running)
        await until(lambda: diary.visits >= plan.warm_up + plan.visits, seconds=900)
        after = memory(running)
        await end(lives)
        await until(lambda: not any(left(running)), seconds=90, what="connections and rooms that are left")
        await until(lambda: not seats(running), seconds=60, what="seats that are left")
        grown = max(late - early for late, early in zip(after, before, strict=True))
    say(f"{diary.visits} visits, {diary.events} events; grown by {grown:.1f} MiB at most")
    assert not diary.wrong
    assert grown < plan.mib
    assert await in_thread(damage, diary.acknowledged) == []
    for conversation, acknowledged in diary.acknowledged.items():
        said = {event["seq"] for event in await log_of(conversation) if event["type"] == "message:new"}
        assert said >= set(acknowledged)
        assert len(set(acknowledged)) == len(acknowledged)
