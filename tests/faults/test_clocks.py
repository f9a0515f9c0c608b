"""One server's clock is five minutes ahead, another's five minutes behind: nobody notices."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from random import Random
from uuid import UUID

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.services import sessions
from tests.conftest import ticket_of
from tests.faults.byhand import dial
from tests.faults.checker import Frame, violations
from tests.faults.cluster import TROUBLED, Cluster
from tests.faults.crowd import Plan, gather
from tests.faults.support import connected, damage

SKEWS = (0, 300, -300)


async def test_clocks_differ(alice: User, conversation: UUID, cluster: Callable[..., Cluster]) -> None:
    each = [{"CLOCK_SKEW": str(skew)} for skew in SKEWS]
    async with cluster(webs=3, workers=1, each=each, **TROUBLED, CATCHUP_MAX="100000") as running:
        for address, skew in zip(running.addresses, SKEWS, strict=True):
            await _is_wrong(alice, address, skew)
            await _ticket(alice, address)
            await _ended_elsewhere(alice, address)
        await _registers(alice, str(conversation), running)
        await _log(running)
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def _is_wrong(user: User, address: str, skew: int) -> None:
    """A fresh token is good, though this server's clock is as wrong as it is to be."""
    begun = time.time()
    async with dial(address, user) as line:
        says = datetime.fromisoformat(line.welcome["server_time"]).timestamp()
        assert begun - 1 < says - skew < time.time() + 1


async def _ticket(user: User, address: str) -> None:
    """A ticket of another server, good for 30 s, opens a socket."""
    async with dial(address, ticket=await in_thread(ticket_of, user)) as line:
        assert line.welcome["user"]["id"] == str(user.id)


async def _ended_elsewhere(user: User, address: str) -> None:
    """A session that another server ends is over here within 2 s."""
    async with dial(address, user) as line:
        await in_thread(partial(sessions.end, session=UUID(line.welcome["session"])))
        assert await line.closed(2) == 4501


async def _registers(user: User, conversation: str, running: Cluster) -> None:
    """Whoever writes last, having seen what was there, wins, on whatever server; walls are near the right time."""
    vector: dict[str, int] = {}
    for number, address in enumerate((*running.addresses, *reversed(running.addresses))):
        who = f"client-{number}"
        async with dial(address, user, client_id=who) as line:
            known = await line.ask(type="join", ref="j", conversation=conversation)
            if vector:
                assert known["state"]["key"]["value"] == f"client-{number - 1}"
            vector[who] = 1
            clock = {"vector": vector, "wall": int(time.time() * 1000)}
            written: Frame = {"conversation": conversation, "key": "key", "value": who, "clock": clock}
            await line.say(type="state", ref="s", **written)
            answers = [await line.hear("ok", "error", "state:set") for _ in range(2)]
            assert sorted(answer["type"] for answer in answers) == ["ok", "state:set"]
            told = next(answer for answer in answers if answer["type"] == "state:set")
            assert abs(told["clock"]["wall"] / 1000 - time.time()) < 10


async def _log(running: Cluster) -> None:
    """The log is in order, and times in it never go back."""
    crowd = await gather(6, lambda number: [running.addresses[number % 3]], Random(1))
    async with connected(*crowd.clients):
        await crowd.talk(Random(1), Plan(messages=60, seconds=2))
        await crowd.settle()
    logs = await crowd.logs()
    assert violations(crowd.history, logs) == []
    assert await in_thread(damage, crowd.places) == []
    for log in logs.values():
        times = [event["at"] for event in log]
        assert times == sorted(times)
        assert abs(datetime.fromisoformat(times[-1]).timestamp() - time.time()) < 60
