"""What a socket costs that says nothing, and how fast sockets come in."""

import statistics
import time
from dataclasses import dataclass

from bench.engine import cores
from bench.engine.contestants import CONTESTANTS
from bench.engine.load import Load
from bench.engine.servers import Server
from bench.engine.sockets import Seat
from bench.engine.stage import Stage, run
from bench.figures import Figure, Terms, at_most, table

ROOMS, MEMBERS = 20, 50
SERVERS = ("ours", "C")
MEMORY_TARGET = 1.0
TURNS = 3


@dataclass(frozen=True)
class Arrival:
    """`memory`: bytes of each socket; `busy`: the server's core meanwhile."""

    name: str
    memory: float
    rate: float
    busy: cores.Busy


def idle(place: Stage, terms: Terms) -> list[Figure]:
    """1,000 sockets in 20 rooms come in and say nothing, on servers that have just started."""
    found = []
    warm_up, seats = place.new_seats(2, 10), place.new_seats(ROOMS, MEMBERS)
    for name in SERVERS * min(TURNS, terms.repeat):
        server = CONTESTANTS[name].start(place.servers)
        found.append(run(_arrival(name, server, warm_up, seats)))
        server.stop()
    heads = ("server", "memory per socket", "come in per second", "server's core", "generator")
    print(table(heads, [_row(one) for one in found]))
    memory, rate = ({name: _median(found, name, what) for name in SERVERS} for what in ("memory", "rate"))
    return [
        at_most("memory per idle socket, against C", memory["ours"] / memory["C"], MEMORY_TARGET),
        Figure("sockets accepted, authenticated and joined, per second", f"{rate['ours']:.0f}"),
        Figure("… accepted by plain Channels, which asks nothing", f"{rate['C']:.0f}"),
    ]


def _median(found: list[Arrival], name: str, what: str) -> float:
    return statistics.median(getattr(one, what) for one in found if one.name == name)


async def _arrival(name: str, server: Server, warm_up: list[list[Seat]], seats: list[list[Seat]]) -> Arrival:
    kind = CONTESTANTS[name].kind
    async with Load(server.port, kind, warm_up):
        before = server.memory()
        watch, began = cores.Watch(), time.monotonic()
        async with Load(server.port, kind, seats) as load:
            seconds, busy = time.monotonic() - began, watch.read()
            memory = (server.memory() - before) / len(load.sockets)
            return Arrival(name, memory, len(load.sockets) / seconds, busy)


def _row(one: Arrival) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.memory / 1024:.1f} KiB",
        f"{one.rate:.0f}",
        f"{one.busy.server:.0%}",
        f"{one.busy.generator:.0%}",
    )
