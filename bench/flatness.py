"""Whether memory stayed flat while people came and went, and what was left of them; for bench/soak.py."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.figures import Figure, at_most

KIB, MIB = 1024, 1024 * 1024
# Until caches are full and the allocator has what it needs: this part of the time does not count.
WARM_UP = 1 / 2
# What a visit may leave behind: a connection that is forgotten takes more than ten times as much.
LEFT_BEHIND_KIB = 2.0


@dataclass(frozen=True)
class Sample:
    """At `at` seconds: bytes of memory, what is registered in the server, visits until then."""

    at: float
    memory: int
    connections: int
    rooms: int
    visits: int


def figures(samples: Sequence[Sample], last: Sample) -> Iterable[Figure]:
    """`samples` while people came and went, `last` when all had gone."""
    steady = samples[int(len(samples) * WARM_UP) :]
    third = max(1, len(steady) // 3)
    early, late = steady[:third], steady[-third:]
    grown = _middle(late, "memory") - _middle(early, "memory")
    visits = _middle(late, "visits") - _middle(early, "visits")
    left = grown / max(1, visits)
    yield at_most("memory that a visit leaves behind, after the warm-up", left / KIB, LEFT_BEHIND_KIB, "KiB")
    yield Figure(
        "… which is", f"{grown / MIB:+.1f} MiB in {visits:,.0f} visits, of {_middle(early, 'memory') / MIB:.0f} MiB"
    )
    registered = last.connections + last.rooms
    yield Figure("connections and rooms that are left at the end", str(registered), "0", registered == 0)


def row(one: Sample) -> tuple[str, ...]:
    return f"{one.at / 60:.1f}", f"{one.memory / MIB:.1f} MiB", str(one.connections), str(one.rooms), f"{one.visits:,}"


def _middle(samples: Sequence[Sample], what: str) -> float:
    return statistics.median(getattr(one, what) for one in samples)
