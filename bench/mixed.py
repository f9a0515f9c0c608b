"""Requests of all kinds on one server, as open chat pages make them: frames, and the partial pages that they bring."""

import asyncio
from copy import copy
from dataclasses import dataclass

from bench.engine import cores
from bench.engine.load import P99_MS, Load
from bench.engine.pages import REQUESTS_PER_MESSAGE, Answers, Page, PageBoard
from bench.engine.sockets import Seat
from bench.engine.stage import Stage, run
from bench.engine.tally import microseconds
from bench.figures import Figure, Terms, at_most, table

ROOMS, MEMBERS = 100, 2
# Up to the first that is too much, and then what is asked for.
RATES = (60.0, 125.0, 250.0, 500.0)
TARGET_RATE = 1000.0
SECONDS = 3.0
# What is still answered after the last message.
AFTER_SECONDS = 1.5
PATIENCE_SECONDS = 15


@dataclass(frozen=True)
class Mix:
    """`wanted` and `made`: requests per second."""

    wanted: float
    made: float
    answers: Answers
    busy: cores.Busy

    def p(self, share: float, kind: str | None = None) -> float:
        taken = sorted(self.answers.taken[kind]) if kind else self.answers.all()
        return taken[int(len(taken) * share)] if taken else float("inf")

    @property
    def good(self) -> bool:
        return self.p(0.99) < P99_MS and not self.answers.failed


def mixed(place: Stage, _: Terms) -> list[Figure]:
    """1,000 requests per second by pages in 100 conversations of two: typing, send, message, what was read."""
    from bench.engine import places

    port, visitors = place.server("ours").port, places.visitors(ROOMS, MEMBERS)
    mixes = run(_mixes(port, visitors))
    kinds = list(mixes[0].answers.taken)
    heads = ("requests/s", "made", "p50", "p99", *(f"{kind}: p50, p99" for kind in kinds), "failed", "server's core")
    print(table(heads, [_row(mix, kinds) for mix in mixes]))
    enough = [mix.made for mix in mixes if mix.good]
    return [
        at_most("1,000 requests/s, REST and frames as the page makes them: p99", mixes[-1].p(0.99), P99_MS, "ms"),
        Figure("… highest rate tried with p99 < 100 ms", f"{max(enough, default=0):.0f}/s"),
    ]


async def _mixes(port: int, visitors: list[list[Seat]]) -> list[Mix]:
    board = PageBoard(port)
    found: list[Mix] = []
    async with Load(port, Page, visitors, board) as load:
        await _mix(load, board, RATES[0])
        for rate in RATES:
            found.append(await _mix(load, board, rate))
            if not found[-1].good:
                break
        return [*found, await _mix(load, board, TARGET_RATE)]


async def _mix(load: Load, board: PageBoard, rate: float) -> Mix:
    board.answers.begin()
    watch, began = cores.Watch(), microseconds()
    await load.window(rate / REQUESTS_PER_MESSAGE, SECONDS)
    busy = watch.read()
    await asyncio.sleep(AFTER_SECONDS)
    waiting = [task for socket in load.sockets if isinstance(socket, Page) for task in socket.requests.tasks]
    if waiting:
        _, late = await asyncio.wait(waiting, timeout=PATIENCE_SECONDS)
        for task in late:
            task.cancel()
    seconds = max(SECONDS, (microseconds() - began) / 1e6 - AFTER_SECONDS)
    return Mix(rate, board.answers.requests / seconds, copy(board.answers), busy)


def _row(mix: Mix, kinds: list[str]) -> tuple[str, ...]:
    each = [f"{mix.p(0.5, kind):.0f}, {mix.p(0.99, kind):.0f} ms" for kind in kinds]
    answers = (f"{mix.wanted:.0f}", f"{mix.made:.0f}", f"{mix.p(0.5):.0f} ms", f"{mix.p(0.99):.0f} ms")
    return (*answers, *each, str(mix.answers.failed), f"{mix.busy.server:.0%}")
