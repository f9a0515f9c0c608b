"""Teams on real workers: kill -9 in the middle of a turn, and stop from another node."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from conversations.models import Run
from tests.faults.cluster import Cluster
from tests.faults.requests import post
from tests.faults.support import damage, log_of, place_of, until_stored

Make = Callable[..., Cluster]
# A module of its own: it cannot be imported here, where the settings are others.
CREWED = {"DJANGO_SETTINGS_MODULE": "tests.faults.crew", "LEASE_SECONDS": "2", "SWEEP_SECONDS": "1"}
WORDS = 50


def speaking(conversation: UUID, turn: int) -> Run | None:
    """The run of a turn that is being taken, some of which is stored."""
    running = Run.objects.filter(conversation=conversation, status=Run.Status.RUNNING, stored__gt=20)
    return running.filter(team__turn=turn).first()


def is_over(conversation: UUID) -> bool:
    runs = Run.objects.filter(conversation=conversation)
    return runs.exists() and not runs.filter(ended_at=None).exists()


def told(log: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    """What became of each turn, in order: who, which, how it ended."""
    ends = [event for event in log if event["type"] == "run:end"]
    turns = [event["data"].get("team", {}).get("turn", 0) for event in ends]
    told_of = zip(ends, turns, strict=True)
    return [(event["actor"]["id"], turn, event["data"]["status"]) for event, turn in told_of]


async def test_killed_in_the_middle_of_a_turn_it_goes_on_with_that_turn(alice: User, cluster: Make) -> None:
    conversation, token = await place_of(alice), (await in_thread(tokens.issue, alice))["access"]
    async with cluster(webs=1, workers=2, **CREWED) as running:
        where = f"{running.webs[0].url}api/v1/conversations/{conversation}/messages/"
        sent = await post(where, token, {"text": "Discuss", "action": "agents", "assistant": "crew"})
        assert sent.status == 201
        for turn in (2, 4):
            await until_stored(lambda turn=turn: speaking(conversation, turn))  # type: ignore[misc]
            for worker in running.workers:
                worker.kill()
            for worker in running.workers:
                worker.start()
        await until_stored(lambda: is_over(conversation), 60)
    log = await log_of(conversation)
    found = told(log)
    assert [(turn, how) for _, turn, how in found if how == "completed"] == [(n, "completed") for n in range(1, 6)]
    assert [turn for _, turn, how in found if how == "interrupted"] == [2, 4]
    assert [who for who, _, how in found if how == "completed"] == ["ann", "ben", "cy", "ann", "ben"]
    queued = [event["data"]["team"] for event in log if event["type"] == "run:queue"]
    assert [(team["turn"], team["tries"]) for team in queued] == [(2, 1), (2, 2), (3, 1), (4, 1), (4, 2), (5, 1)]
    texts = [event["data"]["text"] for event in log if event["type"] == "run:end"]
    whole = [len(text.split()) == WORDS for text in texts]
    assert whole == [how == "completed" for _, _, how in found]
    assert await in_thread(damage, [conversation]) == []


async def test_stop_from_another_node_ends_it_within_a_second(alice: User, cluster: Make) -> None:
    conversation, token = await place_of(alice), (await in_thread(tokens.issue, alice))["access"]
    async with cluster(webs=2, workers=2, **CREWED) as running:
        where = f"{running.webs[0].url}api/v1/conversations/{conversation}/messages/"
        sent = await post(where, token, {"text": "Discuss", "action": "agents", "assistant": "crew"})
        first = sent.json["run"]["id"]
        await until_stored(lambda: speaking(conversation, 2))
        begun = time.monotonic()
        stopped = await post(f"{running.webs[1].url}api/v1/runs/{first}/stop/", token, {})
        assert (stopped.status, time.monotonic() - begun < 1) == (200, True)
        assert await in_thread(is_over, conversation)
        head = len(await log_of(conversation))
        await asyncio.sleep(1.5)
        log = await log_of(conversation)
    assert len(log) == head, "nobody says anything more"
    assert told(log)[0][1:] == (1, "completed")
    stop = log[-1]
    assert (stop["type"], stop["data"]["status"], stop["actor"]["id"]) == ("run:end", "stopped", str(alice.id))
