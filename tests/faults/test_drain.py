"""Every process is restarted, one after the other, while people talk: nothing fails, nothing is lost."""

import asyncio
import signal
from collections.abc import Callable
from random import Random

from chatproject.lib.threads import in_thread
from tests.conftest import new_user
from tests.faults.checker import History, violations
from tests.faults.cluster import Cluster
from tests.faults.support import connected, log_of
from tests.faults.test_many_clients import _clients, _place, _settle

PEOPLE, MESSAGES = 8, 200
# uvicorn raises the signal again once everything is done.
ENDED = (0, -signal.SIGTERM)


async def test_a_rolling_restart(cluster: Callable[..., Cluster]) -> None:
    people = [await in_thread(new_user, f"Person{number}") for number in range(PEOPLE)]
    places = [await _place(people, number) for number in range(4)]
    history = History()
    async with cluster(webs=3, workers=2, CATCHUP_MAX="100000", DRAIN_SECONDS="20") as running:
        clients = await _clients(people, places, running, history, Random(1))
        async with connected(*clients):
            talk = asyncio.create_task(_talk(clients))
            for process in (*running.webs, *running.workers):
                assert await asyncio.to_thread(process.stop) in ENDED
                process.start()
                if process in running.webs:
                    await process.ready()
            await talk
            await _settle(clients, places)
        logs = {str(place): await log_of(place) for place in places}
        ended = [event["data"]["status"] for log in logs.values() for event in log if event["type"] == "run:end"]
        assert violations(history, logs) == []
        assert not history.of("fail")
        assert set(ended) == {"completed"}
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def _talk(clients: list) -> None:
    for number in range(MESSAGES):
        one = clients[number % len(clients)]
        place = list(one.places)[number % 2]
        asks = number % 20 == 0
        await one.send(
            place, "slow 30 20" if asks else f"Message {number}", **({"assistant": "openai"} if asks else {})
        )
        await asyncio.sleep(0.05)
