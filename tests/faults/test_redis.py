"""Redis is never the truth: it is stopped, hung, paused, emptied, cut and full, under load on real servers.

Sends are acknowledged, everything arrives (by the poll, meanwhile), sockets stay, and hints deliver again soon.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from typing import NamedTuple

import pytest
from redis import Redis
from websockets.asyncio.client import connect

from tests.faults.checker import History, violations
from tests.faults.client import Client
from tests.faults.cluster import Cluster
from tests.faults.crowd import Crowd, gather, new_seed
from tests.faults.outside import Caller
from tests.faults.support import connected, until

Make = Callable[..., Cluster]
PEOPLE = 4
# Seconds: what a hint takes at most (the poll is that quick once in seven times), and until hints deliver again: the
# layer's receiver looks for Redis once a second.
HINTED, HINTS_AGAIN = 0.15, 1.0
# What deliveries by the poll take without Redis, beside what they take on this machine just now: it looks five times a
# second, and who speaks right after a look, as here, waits for the next one; 99 of 100 come within 0.5 s, as promised.
POLLED, POLLED_AT_MOST = 0.3, 0.5


@dataclass(frozen=True)
class Times:
    """Seconds that Redis is stopped, and hung; between two looks at who is there; until everybody is found again; and
    what may be added to the slowest: of the dozen deliveries of the quick form that is one alone, which meets with
    whatever other tests and browsers do to the machine at that moment. Half of a dozen do not."""

    stopped: float
    hung: float
    sweep: float
    found: float
    hurry: float


SHORT, LONG = Times(3, 2, 1, 4, 0.5), Times(60, 30, 10, 25, 0.0)


class Took(NamedTuple):
    """Seconds within which half of the deliveries came, and 99 of 100."""

    half: float
    slowest: float

    def in_time(self, usual: "Took", hurry: float) -> bool:
        """Whether that is as promised without Redis, where deliveries take `usual` with it."""
        return self.half < usual.half + POLLED and self.slowest < usual.slowest + POLLED_AT_MOST + hurry


@dataclass
class Talk:
    """People who talk all the time, half of them on each of two servers; how long what they say takes."""

    running: Cluster
    crowd: Crowd
    say: Callable[[str], None]

    async def acknowledged(self, sender: Client, place: str, text: str) -> str:
        """Say something, wait until it is acknowledged; its cmid."""
        cmid = await sender.send(place, text)
        await until(lambda: self._seq(cmid), what="acknowledged")
        return cmid

    async def delivery(self) -> float:
        """Say something at one server, see it at the other; the seconds from the one to the other."""
        sender, reader = self.crowd.clients[0], self.crowd.clients[1]
        place = next(id_ for id_ in sender.places if id_ in reader.places)
        begun = time.monotonic()
        cmid = await self.acknowledged(sender, place, "Are you there?")
        await until(lambda: reader.has(place, self._seq(cmid)), what="delivered")
        return time.monotonic() - begun

    def _seq(self, cmid: str) -> int:
        return next((one.seq for one in self.crowd.history.of("ok") if one.cmid == cmid), 0)

    async def during(self, what: str, seconds: float) -> Took:
        """What deliveries take for a while."""
        over, found = time.monotonic() + seconds, []
        while time.monotonic() < over:
            found.append(await self.delivery())
        slowest = quantiles(found, n=100)[98] if len(found) > 1 else found[0]
        self.say(f"{what}: {len(found)} delivered, p50 {median(found):.3f} s, p99 {slowest:.3f} s")
        return Took(median(found), slowest)

    async def back(self, usual: Took, hurry: float) -> None:
        """Redis has just come back: what is said still comes in time, and soon it is brought by hints again."""
        assert (await self.during("just back", 1)).in_time(usual, hurry)
        assert await self.live() < HINTS_AGAIN

    async def live(self) -> float:
        """Seconds until hints deliver, three times in a row; the poll would take half a second each."""
        begun = since = time.monotonic()
        in_row = 0
        while in_row < 3:
            since = since if in_row else time.monotonic()
            in_row = in_row + 1 if await self.delivery() < HINTED else 0
            assert time.monotonic() - begun < 30, "hints do not deliver"
        self.say(f"live after {since - begun:.1f} s")
        return since - begun


@asynccontextmanager
async def talking(cluster: Make, say: Callable[[str], None], **settings: str) -> AsyncIterator[Talk]:
    """At the end everything must fit together, and every socket still be the first one."""
    seed = new_seed()
    say(f"FAULT_SEED={seed}")
    chance = Random(seed)
    async with cluster(webs=2, **settings) as running:
        crowd = await gather(PEOPLE, lambda number: [running.addresses[number % 2]], chance)
        async with connected(*crowd.clients):
            load = asyncio.create_task(_murmur(crowd, chance))
            yield Talk(running, crowd, say)
            load.cancel()
            await crowd.settle()
        assert violations(crowd.history, await crowd.logs()) == []
        assert not crowd.history.of("fail")
        assert [one.connections for one in crowd.clients] == [1] * PEOPLE, "sockets stay open"


async def _murmur(crowd: Crowd, chance: Random) -> None:
    while True:
        one = chance.choice(crowd.clients)
        await one.send(chance.choice(list(one.places)), "Hello")
        await asyncio.sleep(chance.uniform(0, 0.1))


@pytest.mark.parametrize(
    "times", [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.faults)]
)
async def test_stopped_hung_and_paused(cluster: Make, times: Times, say: Callable[[str], None]) -> None:
    async with talking(cluster, say, PRESENCE_SWEEP_MS=str(int(times.sweep * 1000))) as talk:
        redis = talk.running.redis
        await talk.live()
        usual, hurry = await talk.during("with Redis", times.stopped / 10 + 1), times.hurry
        await asyncio.to_thread(redis.stop)
        await talk.during("until that is found out", 1)
        assert (await talk.during("stopped", times.stopped)).in_time(usual, hurry)
        await asyncio.to_thread(redis.start)
        await talk.back(usual, hurry)
        await everybody_is_found(talk, times.found)
        redis.hang()
        await talk.during("until that is found out", 1)
        assert (await talk.during("hung", times.hung)).in_time(usual, hurry)
        redis.go_on()
        await talk.back(usual, hurry)
        paused = time.monotonic() + times.hung + 1
        redis.client().client_pause(int((times.hung + 1) * 1000))
        await talk.during("until that is found out", 1)
        assert (await talk.during("paused", times.hung - 0.5)).in_time(usual, hurry)
        await asyncio.sleep(paused - time.monotonic())
        await talk.back(usual, hurry)


async def everybody_is_found(talk: Talk, seconds: float) -> None:
    """Who comes to a conversation at either server is told how many are there, at both of them."""
    person = talk.crowd.clients[0]
    place = next(id_ for id_ in person.places if id_ in talk.crowd.clients[1].places)
    inside = sum(place in one.places for one in talk.crowd.clients)
    begun = time.monotonic()
    for address in talk.running.addresses:
        while (online := await online_at(address, person._token, place)) != inside:
            assert time.monotonic() - begun < seconds, f"{online} of {inside}"
            await asyncio.sleep(0.2)


async def online_at(address: str, token: str, place: str) -> int:
    async with connect(address, ping_interval=None, close_timeout=1) as socket:
        caller = Caller(socket, token, History())
        await caller.hello()
        joined, _ = await caller.join(place)
        return int(joined["online"])


async def test_a_subscriber_cut_off_and_a_full_memory(cluster: Make, say: Callable[[str], None]) -> None:
    """A process that reads too slowly is cut off (`client-output-buffer-limit pubsub`): it subscribes again, and what
    it missed is read from the log. With its memory full, Redis refuses presence and the like: messages go on."""
    async with talking(cluster, say) as talk:
        slow, redis = talk.running.webs[1], talk.running.redis.client()
        redis.config_set("client-output-buffer-limit", "pubsub 32kb 16kb 1")
        before = subscribers(redis)
        slow.pause()
        one = talk.crowd.clients[0]
        for _ in range(1000):  # as much as the kernel holds for it, and more
            await talk.acknowledged(one, next(iter(one.places)), "漢" * 10_000)
            if subscribers(redis) < before:
                break
        assert subscribers(redis) < before, "cut off by Redis"
        slow.go_on()
        await until(lambda: subscribers(redis) == before, what="subscribed again")
        await talk.live()
        redis.config_set("maxmemory", "1")
        await talk.during("full", 1)
        await talk.live()
        redis.config_set("maxmemory", "0")


def subscribers(redis: Redis) -> int:
    return len(redis.client_list(_type="pubsub"))
