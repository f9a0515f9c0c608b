"""The network is bad between clients and servers: nothing is lost, doubled or out of order once it has healed.

The schedule comes from a seed, which is printed; FAULT_SEED repeats it (as far as a network can be repeated).
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

import pytest

from chatproject.lib.threads import in_thread
from tests.faults.checker import violations
from tests.faults.cluster import Cluster
from tests.faults.crowd import Plan, gather, new_seed
from tests.faults.proxy import Proxy, misbehave
from tests.faults.support import connected, damage

CLIENTS = 20
# Silence is noticed soon, so that half-open connections end within the test.
SETTINGS = {"HEARTBEAT_MS": "1000", "TIMEOUT_MS": "3000", "CATCHUP_MAX": "100000"}


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(messages=400, seconds=6), id="short"),
        pytest.param(Plan(messages=3000, seconds=60), id="long", marks=pytest.mark.faults),
    ],
)
async def test_twenty_clients_through_a_bad_network(
    cluster: Callable[..., Cluster], plan: Plan, say: Callable[[str], None]
) -> None:
    seed = new_seed()
    say(f"FAULT_SEED={seed}")
    chance = Random(seed)
    async with cluster(webs=2, workers=1, **SETTINGS) as running, AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxy(web.port)) for web in running.webs for _ in range(2)]
        crowd = await gather(CLIENTS, lambda _: [proxy.address for proxy in proxies], chance)
        async with connected(*crowd.clients):
            storms = [_storm(proxy, Random(chance.random()), plan.seconds) for proxy in proxies]
            raging = asyncio.gather(*storms)
            await crowd.talk(chance, plan, asking=0.05)
            happened = await raging
            begun = time.monotonic()
            await crowd.settle()
            quiet = time.monotonic() - begun
        logs = await crowd.logs()
        say(f"quiet {quiet:.1f} s after {sum(len(some) for some in happened)} faults; {crowd.report(logs)}")
        assert violations(crowd.history, logs) == []
        assert await in_thread(damage, crowd.places) == []
        assert len(crowd.history.of("ok")) == plan.messages
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def _storm(proxy: Proxy, chance: Random, seconds: float) -> list[str]:
    """One fault after the other, each for a while; then the network is good again. What happened."""
    over = time.monotonic() + seconds
    happened = []
    while time.monotonic() < over:
        happened.append(misbehave(proxy, chance))
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        if chance.random() < 0.7:
            proxy.heal()
        await asyncio.sleep(chance.uniform(0, 0.5))
    proxy.heal()
    return happened
