"""Hints are lost, doubled and out of order: everybody sees the log all the same."""

import asyncio
from collections.abc import Callable
from random import Random

from chatproject.lib.threads import in_thread
from tests.faults.checker import violations
from tests.faults.cluster import TROUBLED, Cluster
from tests.faults.crowd import Plan, gather, new_seed
from tests.faults.support import connected, damage


async def test_hints_cannot_be_relied_on(cluster: Callable[..., Cluster], say: Callable[[str], None]) -> None:
    seed = new_seed()
    say(f"FAULT_SEED={seed}")
    chance = Random(seed)
    async with cluster(webs=2, workers=1, **TROUBLED, LOSE_HINTS=str(seed), CATCHUP_MAX="100000") as running:
        crowd = await gather(8, lambda _: running.addresses, chance)
        async with connected(*crowd.clients):
            await crowd.talk(chance, Plan(messages=200, seconds=4))
            await crowd.settle()
        logs = await crowd.logs()
        lost = [await asyncio.to_thread(web.metric, "events_lost_total") for web in running.webs]
        say(f"{lost} events were read from the log; {crowd.report(logs)}")
        assert min(lost) > 0, "hints were not lost"
        assert violations(crowd.history, logs) == []
        assert await in_thread(damage, crowd.places) == []
        assert [one.connections for one in crowd.clients] == [1] * len(crowd.clients)
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]
