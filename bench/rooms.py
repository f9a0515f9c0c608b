"""Rooms full of people: `python -m bench.rooms [--rooms 10] [--members 50] [--servers ours,C,D,W] [--profile FILE]`.

For each server in turn, over and over: everybody comes in, latency at a low rate, then the highest rate with p99
below 100 ms and nothing lost. Prints medians and their ratios.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.capacity import highest
from bench.contestants import CONTESTANTS
from bench.load import Load, Window
from bench.servers import Server
from bench.sockets import Seat
from bench.stage import run, stage

COMMON_RATE = 60.0
COMMON_SECONDS = 2.0
WARM_UP_RATE, WARM_UP_SECONDS = 20.0, 0.5
PROFILE_SECONDS = 6
PROFILE_SHARE = 0.8


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


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=10)
    parser.add_argument("--members", type=int, default=50, help="of each room")
    parser.add_argument("--servers", default="ours,C,W", help=f"of {', '.join(CONTESTANTS)}, separated by commas")
    parser.add_argument("--repeat", type=int, default=5, help="turns of each server")
    parser.add_argument("--seconds", type=float, default=1.5, help="of one window")
    parser.add_argument("--profile", help="file to which py-spy writes where our server's time goes")
    return parser


def main() -> None:
    given = options().parse_args()
    with stage() as place:
        from bench import places

        seats = places.seats(given.rooms, given.members)
        servers = {name: place.server(name) for name in given.servers.split(",")}
        found = run(measured(servers, seats, given))
    print(table(found, given))


async def measured(servers: dict[str, Server], seats: list[list[Seat]], given: argparse.Namespace) -> dict[str, Series]:
    found = {name: Series(CONTESTANTS[name].name) for name in servers}
    for _ in range(given.repeat):
        for name, series in found.items():
            async with Load(servers[name].port, CONTESTANTS[name].kind, seats) as load:
                await turn(load, series, given, CONTESTANTS[name].rate * 50 / given.members)
                if given.profile and name == "ours" and series.rate:
                    await profiled(servers[name], load, series.rate, given.profile)
    return found


async def turn(load: Load, series: Series, given: argparse.Namespace, start: float) -> None:
    """One turn of one server; a search begins where the one before ended."""
    await load.window(WARM_UP_RATE, WARM_UP_SECONDS)
    series.common.append(await load.window(COMMON_RATE, COMMON_SECONDS))
    best = await highest(load, series.rate if series.best else start, given.seconds, first=not series.best)
    series.best.append(best)
    print(f"{series.name:26} {told(best)}", file=sys.stderr, flush=True)
    for error, count in load.board.errors.items():
        print(f"  {count} × {error}", file=sys.stderr, flush=True)


async def profiled(server: Server, load: Load, rate: float, file: str) -> None:
    """Load a server at PROFILE_SHARE of what it can, and have py-spy look at it."""
    spy = str(Path(sys.executable).with_name("py-spy"))
    command = [spy, "record", "--pid", str(server.process.pid), "--duration", str(PROFILE_SECONDS), "--gil"]
    how = ["--rate", "200", "--format", "speedscope" if file.endswith(".json") else "raw", "--output", file]
    process = await asyncio.create_subprocess_exec(*command, *how, stdout=subprocess.DEVNULL)
    await load.window(rate * PROFILE_SHARE, PROFILE_SECONDS + 1)
    await process.wait()


def told(window: Window | None) -> str:
    if window is None:
        return "no rate was good"
    limit = ", limited by the generator" if window.limited_by_generator else ""
    busy = window.busy
    return (
        f"{window.rate:8.0f}/s  p50 {window.p50:6.1f} ms  p99 {window.p99:6.1f} ms  "
        f"server {busy.server:4.0%}, other core {busy.others:4.0%} (generator {busy.generator:4.0%}){limit}"
    )


def table(found: dict[str, Series], given: argparse.Namespace) -> str:
    lines = [f"{given.rooms} rooms × {given.members}, median of {given.repeat}"]
    ours = found.get("ours")
    for series in found.values():
        p50, p99 = (statistics.median(getattr(one, name) for one in series.common) for name in ("p50", "p99"))
        ratio = f"{ours.rate / series.rate:7.2f} ×" if ours and series.rate else "        –"
        lines.append(f"{series.name:26}{series.rate:9.0f}/s {ratio}   at 60/s: p50 {p50:6.1f} ms, p99 {p99:6.1f} ms")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
