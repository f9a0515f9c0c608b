"""All figures of the real-time engine: `python -m bench [NAMES] [--repeat 5] [--seconds 1.5]`, or `make bench ARGS=…`.

Prints tables, then every figure with its target. Ends with 1 where one was missed.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from bench.assistants import assistants
from bench.costs import costs
from bench.crowd import crowd
from bench.engine.spy import profiling
from bench.engine.stage import Stage, stage
from bench.figures import Figure, Terms, summary
from bench.groupcommit import groupcommit
from bench.idle import idle
from bench.lengths import growth
from bench.mixed import mixed
from bench.overload import overload
from bench.reconnect import reconnect
from bench.rooms import daphne, pairs, rooms

Scenario = Callable[[Stage, Terms], list[Figure]]
# In this order; later ones use what earlier ones found out, or find it out themselves.
SCENARIOS: dict[str, Scenario] = {
    "rooms": rooms,
    "pairs": pairs,
    "crowd": crowd,
    "overload": overload,
    "daphne": daphne,
    "groupcommit": groupcommit,
    "mixed": mixed,
    "reconnect": reconnect,
    "idle": idle,
    "costs": costs,
    "growth": growth,
    "assistants": assistants,
}


def main() -> None:
    names = "\n".join(f"  {name:12} {(scenario.__doc__ or '').splitlines()[0]}" for name, scenario in SCENARIOS.items())
    options = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"{__doc__}\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("names", nargs="*", metavar="NAME", choices=[[], *SCENARIOS], help="of some; all without")
    options.add_argument("--repeat", type=int, default=Terms.repeat, help="turns of each server")
    options.add_argument("--seconds", type=float, default=Terms.seconds, help="of one window")
    options.add_argument("--profile", type=Path, help="folder for a profile of our server per scenario (bench.profile)")
    given = options.parse_args()
    with stage() as place:
        figures = measured(place, given.names or list(SCENARIOS), Terms(given.repeat, given.seconds), given.profile)
    print(f"\n{summary(figures)}")
    sys.exit(any(one.holds is False for one in figures))


def measured(place: Stage, names: list[str], terms: Terms, profiles: Path | None) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        began = time.monotonic()
        print(f"\n## {name}: {(SCENARIOS[name].__doc__ or '').splitlines()[0]}\n", flush=True)
        with profiling(place.server("ours"), profiles / f"{name}.prof") if profiles else nullcontext():
            figures += attempted(name, place, terms)
        print(f"\n({time.monotonic() - began:.0f} s)", flush=True)
    return figures


def attempted(name: str, place: Stage, terms: Terms) -> list[Figure]:
    """The figures of a scenario. One that breaks down is a miss, and the others go on."""
    try:
        return SCENARIOS[name](place, terms)
    except Exception as error:
        traceback.print_exc(limit=-3)
        return [Figure(name, f"broke down: {type(error).__name__}", "figures", False)]


if __name__ == "__main__":
    main()
