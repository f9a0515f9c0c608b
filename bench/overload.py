"""More than a server can take, and what is left of it afterwards."""

import statistics
import time
from dataclasses import dataclass

from bench.crowd import highest_of
from bench.engine.contest import COMMON_RATE, COMMON_SECONDS, WARM_UP_RATE, WARM_UP_SECONDS
from bench.engine.load import Load, Window
from bench.engine.stage import Stage, run
from bench.figures import Figure, Terms, table

TIMES = 1.5
SECONDS = 4.0
RECOVERY_SECONDS = 30.0
SERVERS = ("ours", "C")


@dataclass(frozen=True)
class Outcome:
    """`seconds`: from the last message that was sent until the last that arrived."""

    name: str
    window: Window
    members: int
    seconds: float
    after: Window

    @property
    def share_lost(self) -> float:
        return self.window.lost / (self.window.sent * self.members)


def overload(place: Stage, terms: Terms) -> list[Figure]:
    """Half as much again as is possible, for four seconds; what is missing once everything has calmed down."""
    rates = {name: TIMES * highest_of(place, name, terms) for name in SERVERS}
    outcomes = [
        run(_outcome(name, place.load(name, 10, 50), rates[name]))
        for _ in range(min(3, terms.repeat))
        for name in SERVERS
    ]
    heads = ("server", "rate", "kept", "sent", "lost", "closed", "p99", "recovered in", "60/s afterwards: p99")
    print(table(heads, [_row(one) for one in outcomes]))
    lost = sum(one.window.lost + one.window.unacknowledged for one in outcomes if one.name == "ours")
    theirs = statistics.median(one.share_lost for one in outcomes if one.name == "C")
    return [
        Figure("1.5 × overload: lost or unacknowledged after recovery", f"{lost:,}", "0", lost == 0),
        Figure("… plain Channels loses", f"{theirs:.0%}"),
    ]


async def _outcome(name: str, prepared: Load, rate: float) -> Outcome:
    async with prepared as load:
        await load.window(WARM_UP_RATE, WARM_UP_SECONDS)
        began = time.monotonic()
        window = await load.window(rate, SECONDS, patience=RECOVERY_SECONDS)
        seconds = max(0.0, load.board.tally.last() / 1e6 - began - SECONDS)
        after = await load.window(COMMON_RATE, COMMON_SECONDS)
        return Outcome(name, window, load.members, seconds, after)


def _row(one: Outcome) -> tuple[str, ...]:
    window = one.window
    lost = f"{window.lost:,} ({one.share_lost:.0%})"
    figures = (f"{window.rate:,.0f}/s", f"{window.kept:.0%}", f"{window.sent:,}", lost, str(window.closed))
    return one.name, *figures, f"{window.p99:,.0f} ms", f"{one.seconds:.1f} s", f"{one.after.p99:.1f} ms"
