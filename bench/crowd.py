"""A thousand sockets in rooms of fifty."""

import statistics

from bench.engine.contest import WARM_UP_RATE, WARM_UP_SECONDS, contest, told
from bench.engine.load import P99_MS, Load, Window
from bench.engine.stage import Stage, run
from bench.figures import Figure, Terms, at_most, table

ROOMS, MEMBERS = 20, 50
TIMES_CHANNELS = 10
SECONDS = 3.0


def crowd(place: Stage, terms: Terms) -> list[Figure]:
    """20 rooms of 50 at ten times the highest rate of plain Channels."""
    rate = TIMES_CHANNELS * highest_of(place, "C", terms)
    windows = run(_windows(place.load("ours", ROOMS, MEMBERS), rate, terms.repeat))
    print(table(("20 rooms × 50", "lost", "closed"), [(told(one), str(one.lost), str(one.closed)) for one in windows]))
    what = f"1,000 sockets at {rate:,.0f} messages/s: p99"
    lost = sum(one.lost + one.closed for one in windows)
    slow = min(one.kept for one in windows)
    return [
        at_most(what, statistics.median(one.p99 for one in windows), P99_MS, "ms"),
        Figure(
            "… lost, and share of the rate that was kept", f"{lost}, {slow:.0%}", "0, 98 %", not lost and slow > 0.98
        ),
    ]


async def _windows(prepared: Load, rate: float, repeat: int) -> list[Window]:
    async with prepared as load:
        await load.window(WARM_UP_RATE, WARM_UP_SECONDS)
        return [await load.window(rate, SECONDS) for _ in range(repeat)]


def highest_of(place: Stage, name: str, terms: Terms) -> float:
    """The highest rate of a server in 10 rooms of 50: what `rooms` found, else that of two turns now."""
    if name not in place.highest:
        servers, seats = place.contestants(name), place.seats(10, 50)
        place.highest[name] = run(contest(servers, seats, Terms(min(2, terms.repeat), terms.seconds)))[name].rate
    return place.highest[name]
