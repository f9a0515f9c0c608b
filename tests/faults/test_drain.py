"""Every process is restarted, one after the other, while people talk: nothing fails, nothing is lost."""

import asyncio
import signal
from collections.abc import Callable
from random import Random

from tests.faults.checker import violations
from tests.faults.client import Client
from tests.faults.cluster import Cluster
from tests.faults.crowd import gather
from tests.faults.support import connected

PEOPLE, MESSAGES = 8, 200
# uvicorn raises the signal again once everything is done.
ENDED = (0, -signal.SIGTERM)


async def test_a_rolling_restart(cluster: Callable[..., Cluster]) -> None:
    async with cluster(webs=3, workers=2, CATCHUP_MAX="100000", DRAIN_SECONDS="20") as running:
        crowd = await gather(PEOPLE, lambda _: running.addresses, Random(1))
        async with connected(*crowd.clients):
            talk = asyncio.create_task(_talk(crowd.clients))
            for process in (*running.webs, *running.workers):
                assert await asyncio.to_thread(process.stop) in ENDED
                process.start()
                if process in running.webs:
                    await process.ready()
            await talk
            await crowd.settle()
        logs = await crowd.logs()
        ended = [event["data"]["status"] for log in logs.values() for event in log if event["type"] == "run:end"]
        assert violations(crowd.history, logs) == []
        assert not crowd.history.of("fail")
        assert set(ended) == {"completed"}
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def _talk(clients: list[Client]) -> None:
    for number in range(MESSAGES):
        one = clients[number % len(clients)]
        place = list(one.places)[number % 2]
        asks = number % 20 == 0
        await one.send(
            place, "slow 30 20" if asks else f"Message {number}", **({"assistant": "openai"} if asks else {})
        )
        await asyncio.sleep(0.05)
