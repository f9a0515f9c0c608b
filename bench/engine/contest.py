"""Servers against each other in the same rooms: turn by turn, because one machine drifts by more than they differ."""

import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.engine.capacity import highest
from bench.engine.contestants import CONTESTANTS
from bench.engine.load import Load, Window
from bench.engine.servers import Server
from bench.engine.sockets import Seat
from bench.engine.spy import profiling
from bench.figures import Terms, table

COMMON_RATE, COMMON_SECONDS = 60.0, 2.0
WARM_UP_RATE, WARM_UP_SECONDS = 20.0, 0.5
# Rates where searches begin are for rooms of so many; with fewer members more messages go through.
USUAL_MEMBERS = 50
PROFILE_SECONDS, PROFILE_SHARE = 6, 0.8


@dataclass
class Series:
    """What was measured of one server, turn by turn."""

    name: str
    common: list[Window] = field(default_factory=list)
    best: list[Window | None] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Median of the highest rates; 0 where there was none."""
        return statistics.median(window.rate if window else 0.0 for window in self.best)

    def at_common_rate(self) -> tuple[float, float]:
        """Medians of the turns' p50 and p99, in milliseconds."""
        return statistics.median(one.p50 for one in self.common), statistics.median(one.p99 for one in self.common)


async def contest(
    servers: Mapping[str, Server], seats: list[list[Seat]], terms: Terms, *, profile: Path | None = None
) -> dict[str, Series]:
    """Measure all servers in turn, `terms.repeat` times; `profile` is a file for one of our server."""
    found = {name: Series(CONTESTANTS[name].name) for name in servers}
    for _ in range(terms.repeat):
        for name, series in found.items():
            async with Load(servers[name].port, CONTESTANTS[name].kind, seats) as load:
                await turn(load, series, terms, CONTESTANTS[name].rate * (USUAL_MEMBERS / len(seats[0])) ** 0.5)
                if profile and name == "ours" and series.rate:
                    await profiled(servers[name], load, series.rate, profile)
    return found


async def turn(load: Load, series: Series, terms: Terms, start: float) -> None:
    """One turn of one server; a search begins where the one before ended."""
    await load.window(WARM_UP_RATE, WARM_UP_SECONDS)
    series.common.append(await load.window(COMMON_RATE, COMMON_SECONDS))
    before = series.rate if series.best else 0.0
    best = await highest(load, before or start, terms.seconds, first=not before)
    series.best.append(best)
    say(f"{series.name:24} {told(best)}")
    for error, count in load.board.errors.items():
        say(f"  {count} × {error}")


async def profiled(server: Server, load: Load, rate: float, file: Path) -> None:
    """Load a server at PROFILE_SHARE of what it can, and look at it."""
    with profiling(server, file):
        await load.window(rate * PROFILE_SHARE, PROFILE_SECONDS)


def say(line: str) -> None:
    """Progress, which is no part of the tables."""
    print(line, file=sys.stderr, flush=True)


def told(window: Window | None) -> str:
    if window is None:
        return "no rate was good"
    limit = ", limited by the generator" if window.limited_by_generator else ""
    busy = window.busy
    return (
        f"{window.rate:8.0f}/s  p50 {window.p50:6.1f} ms  p99 {window.p99:6.1f} ms  "
        f"server {busy.server:4.0%}, other core {busy.others:4.0%} (generator {busy.generator:4.0%}){limit}"
    )


def contest_table(found: Mapping[str, Series]) -> str:
    heads = ("server", "highest rate", "range", "ours is", "limit", "60/s: p50", "60/s: p99")
    ours = next((series.rate for name, series in found.items() if name.startswith("ours")), 0.0)
    return table(heads, [row(series, ours) for series in found.values()])


def row(series: Series, ours: float) -> tuple[str, ...]:
    rates = [window.rate if window else 0.0 for window in series.best]
    p50, p99 = series.at_common_rate()
    ratio = f"{ours / series.rate:.2f} ×" if ours and series.rate else "–"
    limit = "generator" if any(window and window.limited_by_generator for window in series.best) else "server"
    spread = f"{min(rates):,.0f}–{max(rates):,.0f}"
    return series.name, f"{series.rate:,.0f}/s", spread, ratio, limit, f"{p50:.1f} ms", f"{p99:.1f} ms"
