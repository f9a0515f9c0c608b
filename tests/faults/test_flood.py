"""One of fifty floods: it is refused, then sent away, and the others are served as ever."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from uuid import UUID

from websockets.exceptions import ConnectionClosed

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.services import conversations
from tests.conftest import new_user
from tests.faults.byhand import Line, dial
from tests.faults.checker import Frame
from tests.faults.cluster import Cluster
from tests.faults.support import log_of

OTHERS = 49
ROUNDS = 6
LIMIT = 60
FRAMES, PAUSE = 10, 0.005


class Flooder:
    """Says some thousand times more than it may, and comes back at once whenever it is sent away."""

    def __init__(self, address: str, user: User, place: UUID) -> None:
        self._address, self._user, self._place = address, user, place
        self.said = 0
        self.codes: list[int] = []
        self.errors: list[Frame] = []

    async def run(self) -> None:
        while True:
            async with dial(self._address, self._user) as line:
                with suppress(ConnectionClosed):
                    while True:
                        for _ in range(FRAMES):
                            await line.socket.send(message(self._place, str(new_id())))
                        self.said += FRAMES
                        await asyncio.sleep(PAUSE)  # the others are in this process too
                self.codes.append(await line.closed())
                self.errors += [frame for frame in line.heard if frame["type"] == "error"]


async def test_one_flooder_of_fifty(cluster: Callable[..., Cluster], say: Callable[[str], None]) -> None:
    people = [await in_thread(new_user, "Somebody") for _ in range(OTHERS)]
    mallory = await in_thread(new_user, "Mallory")
    place = await in_thread(place_of, [*people, mallory])
    async with cluster(webs=1, LIMITS_APPLY="1", LIMIT_SEND=str(LIMIT)) as running, AsyncExitStack() as open_:
        address = running.addresses[0]
        lines = [await open_.enter_async_context(dial(address, person)) for person in people]
        quiet = await delays(lines, place)
        flooder = Flooder(address, mallory, place)
        flood = asyncio.create_task(flooder.run())
        flooded = await delays(lines, place)
        while len(flooder.codes) < 2:
            flooded += await delays(lines, place)
        flood.cancel()
        assert running.tracebacks() == []
    say(
        f"{flooder.said} frames of a flood on {len(flooder.codes)} connections; p99 of the others {p99(quiet):.3f} s "
        f"without it, {p99(flooded):.3f} s with it"
    )
    assert set(flooder.codes) == {4029}
    assert {(one["code"], one["retryable"]) for one in flooder.errors} == {("rate_limited", True)}
    assert all(0 < one["retry_after_ms"] <= 60_000 for one in flooder.errors)
    assert p99(flooded) < 3 * p99(quiet) + 0.25
    stored = [event for event in await log_of(place) if event["type"] == "message:new"]
    assert sum(event["actor"]["id"] == str(mallory.id) for event in stored) == LIMIT


async def delays(lines: list[Line], place: UUID) -> list[float]:
    """Everybody says something a few times; how long each acknowledgement took. Nobody is refused."""
    found: list[float] = []
    for _ in range(ROUNDS):
        found += await asyncio.gather(*(delay(line, place) for line in lines))
    return found


async def delay(line: Line, place: UUID) -> float:
    ref, begun = str(new_id()), time.monotonic()
    answer = await line.ask(**json.loads(message(place, ref)))
    assert answer["type"] == "sent", answer
    return time.monotonic() - begun


def message(place: UUID, ref: str) -> str:
    return json.dumps({"type": "send", "ref": ref, "conversation": str(place), "cmid": ref, "text": "Hello"})


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]


def place_of(people: list[User]) -> UUID:
    members = [{"user": str(person.id), "role": "editor"} for person in people[1:]]
    return conversations.create(user=people[0], members=members).result().conversation.id
