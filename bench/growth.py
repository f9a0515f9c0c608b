"""Nothing gets slower as a conversation grows: `python -m bench.growth [--events 100000]`.

Each measurement is taken on a small and on a large conversation in turn, many times in one run, because one
machine drifts by more than what is looked for; medians and their ratio are printed. Ends with 1 where a ratio
is above LIMIT.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from bench.product import running

SMALL = 100
LIMIT = 1.2
WARM_UP = 10


@dataclass(frozen=True)
class Place:
    """Where it is measured: a conversation, and one of its members."""

    user: object
    conversation: UUID


@dataclass(frozen=True)
class Result:
    name: str
    small: float
    large: float
    judged: bool

    @property
    def ratio(self) -> float:
        return self.large / self.small

    @property
    def holds(self) -> bool:
        return self.ratio <= LIMIT or not self.judged


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=100_000, help="of the large conversation")
    options.add_argument("--times", type=int, default=200, help="that each measurement is repeated")
    given = options.parse_args()
    with running():
        results = measured(given.events, given.times)
    print(table(results, given.events))
    sys.exit(not all(result.holds for result in results))


def measured(events: int, times: int) -> list[Result]:
    # Django's models can be imported only now.
    from bench import filling, measurements

    user, began = filling.somebody(), time.perf_counter()
    small, large = (Place(user, filling.conversation(user, count)) for count in (SMALL, events))
    print(f"{events} events were written in {time.perf_counter() - began:.0f} s", flush=True)
    measurements.prepare(large)
    return [in_turn(name, measure, small, large, times, judged) for name, measure, judged in measurements.MEASUREMENTS]


def in_turn(
    name: str, measure: Callable[[Place], object], small: Place, large: Place, times: int, judged: bool
) -> Result:
    taken: dict[UUID, list[float]] = {small.conversation: [], large.conversation: []}
    for number in range(WARM_UP + times):
        for place in (small, large) if number % 2 else (large, small):
            began = time.perf_counter()
            measure(place)
            if number >= WARM_UP:
                taken[place.conversation].append(time.perf_counter() - began)
    fast, slow = (statistics.median(taken[place.conversation]) * 1000 for place in (small, large))
    return Result(name, fast, slow, judged)


def table(results: list[Result], events: int) -> str:
    heads = ("", f"{SMALL} events", f"{events} events", "ratio", f"≤ {LIMIT}")
    lines = [f"{heads[0]:28}{heads[1]:>14}{heads[2]:>17}{heads[3]:>8}{heads[4]:>8}"]
    for one in results:
        verdict = ("yes" if one.holds else "NO") if one.judged else "–"
        lines.append(f"{one.name:28}{one.small:11.2f} ms{one.large:14.2f} ms{one.ratio:8.2f}{verdict:>8}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
