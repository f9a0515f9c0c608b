"""Rooms full of people: `python -m bench.rooms [--rooms 10] [--members 50] [--servers ours,C,D,W] [--profile FILE]`.

For each server in turn, over and over: everybody comes in, latency at 60 messages per second, then the highest rate
with p99 below 100 ms and nothing lost. Medians and ratios are printed.
"""

import argparse
from pathlib import Path

from bench.engine.contest import Series, contest, contest_table
from bench.engine.contestants import CONTESTANTS
from bench.engine.stage import Stage, run, stage
from bench.figures import Figure, Terms, at_least, at_most

ALL = "ours,C,D,W"
# By the letter of a peer: how many times its highest rate ours is to be (issue 4).
ROOMS_TARGETS = {"C": 40.0, "D": 2.0, "W": 1.5}
PAIRS_TARGETS = {"C": 10.0, "D": 1.2, "W": 0.15}
DAPHNE_TARGET = 15.0
# At 60 messages per second: our p50, and p99, at most so many times theirs.
P50_TARGETS, P99_TARGETS = {"C": 1.0}, {"C": 0.25, "D": 4.0}


def rooms(place: Stage, terms: Terms) -> list[Figure]:
    """10 rooms of 50."""
    found = _contest(place, terms, ALL, 10, 50)
    place.highest = {name: series.rate for name, series in found.items()}
    return [*ratios("10 rooms × 50", found, ROOMS_TARGETS), *latencies(found)]


def pairs(place: Stage, terms: Terms) -> list[Figure]:
    """250 conversations of two."""
    return ratios("250 conversations × 2", _contest(place, terms, ALL, 250, 2), PAIRS_TARGETS)


def daphne(place: Stage, terms: Terms) -> list[Figure]:
    """10 rooms of 50 on daphne, both."""
    found = _contest(place, terms, "ours-daphne,C-daphne", 10, 50)
    ours, theirs = found["ours-daphne"].rate, found["C-daphne"].rate
    return [at_least("on daphne, against C on daphne", ours / theirs, DAPHNE_TARGET)] if theirs else []


def _contest(place: Stage, terms: Terms, names: str, rooms: int, members: int) -> dict[str, Series]:
    seats, servers = place.seats(rooms, members), place.contestants(names)
    found = run(contest(servers, seats, terms))
    print(contest_table(found), flush=True)
    return found


def ratios(what: str, found: dict[str, Series], targets: dict[str, float]) -> list[Figure]:
    """How many times the highest rate of each peer ours is."""
    rates = {name: series.rate for name, series in found.items()}
    there = {name: target for name, target in targets.items() if rates.get(name)}
    return [at_least(f"{what}, against {name}", rates["ours"] / rates[name], there[name]) for name in there]


def latencies(found: dict[str, Series]) -> list[Figure]:
    """Our latency at 60 messages per second against that of the peers."""
    ours = found["ours"].at_common_rate()
    figures = []
    for position, (percentile, targets) in enumerate((("p50", P50_TARGETS), ("p99", P99_TARGETS))):
        for name, target in targets.items():
            if name in found:
                ratio = ours[position] / found[name].at_common_rate()[position]
                figures.append(at_most(f"60 messages/s, {percentile} against {name}", ratio, target))
    return figures


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=10)
    parser.add_argument("--members", type=int, default=50, help="of each room")
    parser.add_argument("--servers", default=ALL, help=f"of {', '.join(CONTESTANTS)}, separated by commas")
    parser.add_argument("--repeat", type=int, default=5, help="turns of each server")
    parser.add_argument("--seconds", type=float, default=1.5, help="of one window")
    parser.add_argument("--profile", type=Path, help="file to which py-spy writes where our server's time goes")
    return parser


def main() -> None:
    given = options().parse_args()
    with stage() as place:
        seats, servers = place.seats(given.rooms, given.members), place.contestants(given.servers)
        terms = Terms(given.repeat, given.seconds)
        found = run(contest(servers, seats, terms, profile=given.profile))
    print(contest_table(found))


if __name__ == "__main__":
    main()
