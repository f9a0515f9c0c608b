"""Answers of assistants: how soon they begin, how evenly they come, and what a bad provider does to them."""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bench.engine.asking import Asker, AskingBoard, Direct
from bench.engine.load import Load
from bench.engine.servers import Server
from bench.engine.sockets import Seat
from bench.engine.stage import Stage, run
from bench.engine.stored import Stored
from bench.figures import Figure, Terms, at_most, table
from bench.verdict import share

WORKERS = 2
FIRST_RUNS = 50
# The model's own delay, and seconds of an answer after it: of 50 at the same time some 23 or 5 are new every second.
FIRST_MS, APART_MS = 200, 50
LONG = 2, 10
FIRST_P50, FIRST_P99 = 25.0, 100.0
STREAMS, TOKENS_PER_SECOND = 200, 50
LAG_P99 = 200.0
LOOK_EVERY = 20
# Seconds within which all streams have begun.
SPREAD = 4.0
OTHERS, HANGING, SHORT, TURNS = 20, 10, "stream 20 20 50", 2
SLOWED = 1.1
CLIENTS, LIMITED = 30, "limited 5 20 50"
FAILED_PERCENT = 0.3
# A scenario takes so many times as long as a window of the others.
WINDOWS = 6
SETTINGS = {"OPENAI_API_KEY": "bench", "WORKER_CONCURRENCY": "100", "RUNS_PER_USER": "0"}


class Client(Protocol):
    async def ask(self, text: str) -> str:
        """Ask, and wait for the end; its status."""


@dataclass
class Place:
    """Where questions go: our web server, and the model."""

    stage: Stage
    web: Server
    model: Server
    seconds: float
    hanging: list[list[list[Seat]]]
    figures: list[Figure] = field(default_factory=list)

    def load(self, clients: int, board: AskingBoard) -> Load:
        """So many askers, each in a conversation of its own."""
        return Load(self.web.port, Asker, self.stage.seats(clients, 1), board)


def assistants(stage: Stage, terms: Terms) -> list[Figure]:
    """First delta at 50 runs, 200 streams on two workers, a provider that hangs, one that takes 15 calls a second."""
    model = stage.servers.helper("model", (sys.executable, "-m", "bench.engine.model", "{port}"))
    settings = {**SETTINGS, "OPENAI_BASE_URL": f"http://127.0.0.1:{model.port}/v1"}
    web = stage.servers.product(**settings)
    for number in range(WORKERS):
        stage.servers.worker(number, **settings)
    for clients in (FIRST_RUNS, STREAMS, OTHERS, CLIENTS):
        stage.seats(clients, 1)
    hanging = [stage.new_seats(HANGING, 1) for _ in range(TURNS)]
    place = Place(stage, web, model, terms.seconds * WINDOWS, hanging)
    for scenario in (_first_deltas, _streams, _hanging, _limited):
        run(scenario(place))
    return place.figures


async def _first_deltas(place: Place) -> None:
    for long in LONG:
        await _first_deltas_of(place, long, f"stream {1000 * long // APART_MS} {APART_MS} {FIRST_MS}")


async def _first_deltas_of(place: Place, long: int, script: str) -> None:
    """Of answers that are `long` seconds long, begun at any time."""
    ours, direct, seconds = AskingBoard(), AskingBoard(), max(place.seconds, 2.0 * long)
    async with place.load(FIRST_RUNS, ours) as load:
        await _keep_asking(_askers(load), script, long, spread=long)
        ours.begin()
        await _keep_asking(_askers(load), script, seconds, spread=long)
    clients = [Direct(place.model.port, direct) for _ in range(FIRST_RUNS)]
    await _keep_asking(clients, script, seconds, spread=long)
    rows = [_row(name, board, [ms - FIRST_MS for ms in board.firsts]) for name, board in _named(ours, direct)]
    print(table((f"first delta beyond the model's delay, answers of {long} s", "runs", "p50", "p99", "failed"), rows))
    beyond = sorted(ms - FIRST_MS for ms in ours.firsts)
    place.figures += [
        at_most(
            f"send to first delta, {FIRST_RUNS} runs of {long} s at once: p50", share(beyond, 0.5), FIRST_P50, "ms"
        ),
        at_most("… p99", share(beyond, 0.99), FIRST_P99, "ms"),
    ]


async def _streams(place: Place) -> None:
    stored = Stored(os.environ["DATABASE_URL"], LOOK_EVERY)
    board = AskingBoard(stored, together=STREAMS)
    script = f"stream {round(TOKENS_PER_SECOND * (place.seconds + SPREAD))} {1000 // TOKENS_PER_SECOND} 500"
    chance = random.Random(1)

    async def begin(asker: Asker) -> None:
        await asyncio.sleep(chance.uniform(0, SPREAD))
        await asker.ask(script)

    async with place.load(STREAMS, board) as load:
        await asyncio.gather(*map(begin, _askers(load)))
    looked, missing = await asyncio.to_thread(stored.result)
    stored.close()
    rows = [_lag_row(f"{STREAMS} at once", board.together), _lag_row("also as they begin and end", board.lags)]
    print(table(("streams", "tokens", "lag p50", "lag p99", "longest"), rows))
    print(f"{looked:,} looked up, {missing} of them not stored; {_failed(board)} failed")
    place.figures += [
        at_most(f"{STREAMS} streams of {TOKENS_PER_SECOND} tokens/s on {WORKERS} workers: lag p99",
                share(sorted(board.together), 0.99), LAG_P99, "ms"),
        Figure("… deltas seen before they were stored", f"{missing} of {looked:,}", "0", missing == 0 < looked),
    ]  # fmt: skip


async def _hanging(place: Place) -> None:
    """Turns with and without those that hang, in one run, so that both have the same machine."""
    quiet, beside = AskingBoard(), AskingBoard()
    for _ in range(TURNS):
        async with place.load(OTHERS, quiet) as load:
            await _keep_asking(_askers(load), SHORT, place.seconds / 2)
        async with place.load(OTHERS, beside) as load, _hung(place):
            await _keep_asking(_askers(load), SHORT, place.seconds / 2)
    rows = [_row(name, board, board.took) for name, board in (("alone", quiet), ("beside it", beside))]
    print(table(("latency of others", "runs", "p50", "p99", "failed"), rows))
    ratio = share(sorted(beside.took), 0.5) / share(sorted(quiet.took), 0.5)
    place.figures.append(at_most("others beside a provider that hangs: latency", ratio, SLOWED))


@asynccontextmanager
async def _hung(place: Place) -> AsyncIterator[None]:
    """Meanwhile others wait for answers that never come."""
    load = Load(place.web.port, Asker, place.hanging.pop(), AskingBoard())
    async with load:
        waiting = [asyncio.create_task(asker.ask("hang")) for asker in _askers(load)]
        await asyncio.sleep(0.5)
        yield
        for task in waiting:
            task.cancel()


async def _limited(place: Place) -> None:
    ours, direct = AskingBoard(), AskingBoard()
    spent: dict[str, float] = {}
    async with place.load(CLIENTS, ours) as load:
        spent["ours"] = await _keep_asking(_askers(load), LIMITED, place.seconds)
    await asyncio.sleep(1)
    clients = [Direct(place.model.port, direct) for _ in range(CLIENTS)]
    spent["direct"] = await _keep_asking(clients, LIMITED, place.seconds)
    rows = [_limited_row(name, board, spent[name]) for name, board in _named(ours, direct)]
    print(table(("15 calls/s", "asked", "answered/s", "p99", "errors"), rows))
    percent = 100 * _failed(ours) / max(1, sum(ours.ends.values()))
    place.figures.append(at_most("a provider of 15 calls/s, through us: errors", percent, FAILED_PERCENT, "%"))


async def _keep_asking(clients: Sequence[Client], text: str, seconds: float, spread: float = 2.0) -> float:
    """Each asks again as soon as it is answered, from a moment of its own; the seconds until all were answered."""
    began = time.monotonic()
    chance = random.Random(1)

    async def go_on(client: Client, after: float) -> None:
        await asyncio.sleep(after)
        while time.monotonic() < began + seconds:
            await client.ask(text)

    await asyncio.gather(*(go_on(client, chance.uniform(0, min(spread, seconds / 2))) for client in clients))
    return time.monotonic() - began


def _askers(load: Load) -> list[Asker]:
    return [socket for socket in load.sockets if isinstance(socket, Asker)]


def _named(ours: AskingBoard, direct: AskingBoard) -> list[tuple[str, AskingBoard]]:
    return [("ours", ours), ("direct", direct)]


def _failed(board: AskingBoard) -> int:
    return sum(board.ends.values()) - board.ends["completed"]


def _row(name: str, board: AskingBoard, times: Sequence[float]) -> tuple[str, ...]:
    ordered = sorted(times)
    shares = (f"{share(ordered, part):.1f} ms" for part in (0.5, 0.99))
    return (name, str(sum(board.ends.values())), *shares, str(_failed(board)))


def _lag_row(name: str, lags: Sequence[float]) -> tuple[str, ...]:
    ordered = sorted(lags)
    return name, f"{len(ordered):,}", *(f"{share(ordered, part):.0f} ms" for part in (0.5, 0.99, 0.9999999))


def _limited_row(name: str, board: AskingBoard, seconds: float) -> tuple[str, ...]:
    asked = sum(board.ends.values())
    errors = f"{100 * _failed(board) / max(1, asked):.2f} %"
    answered = f"{board.ends['completed'] / seconds:.1f}"
    return name, str(asked), answered, f"{share(sorted(board.took), 0.99):.0f} ms", errors
