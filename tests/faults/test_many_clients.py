"""Many clients, several processes, kill -9 at random, Redis flushed: what was acknowledged is kept, once, in order.

The schedule comes from a seed, which is printed; FAULT_SEED repeats it (as far as processes can be repeated).
"""

import asyncio
import time
from collections.abc import Callable
from random import Random

import pytest

from chatproject.lib.threads import in_thread
from tests.faults.checker import violations
from tests.faults.cluster import Cluster, Process
from tests.faults.crowd import Plan, gather, new_seed
from tests.faults.support import connected, damage

WEBS, WORKERS, CLIENTS = 3, 2, 20
SETTINGS = {"LEASE_SECONDS": "3", "SWEEP_SECONDS": "1", "CATCHUP_MAX": "100000"}


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
    seed = new_seed()
    say(f"FAULT_SEED={seed}")
    chance = Random(seed)
    async with cluster(webs=WEBS, workers=WORKERS, **SETTINGS) as running:
        crowd = await gather(CLIENTS, lambda _: running.addresses, chance)
        async with connected(*crowd.clients):
            chaos = asyncio.create_task(_chaos(running, chance, plan.seconds))
            await crowd.talk(chance, plan)
            await chaos
            begun = time.monotonic()
            await crowd.settle()
            quiet = time.monotonic() - begun
        logs = await crowd.logs()
        say(f"quiet {quiet:.1f} s after the last fault; {crowd.report(logs)}")
        assert violations(crowd.history, logs) == []
        assert await in_thread(damage, crowd.places) == []
        assert len(crowd.history.of("invoke")) == plan.messages
        assert not crowd.history.of("fail")
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


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
