"""What Locust's people saw, against the targets of issue 4."""

from collections import defaultdict
from collections.abc import Iterable

from bench.figures import Figure, at_least, at_most, table
from bench.life import Seen

SYNC_MS, RECOVERY_MS, SOON_MS = 150.0, 3000.0, 5000.0
ERRORS_PERCENT, BACK_PERCENT = 0.5, 95.0


def verdict(seen: Iterable[Seen]) -> tuple[str, list[Figure]]:
    """A table of everything that was done, and the figures that have targets."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    errors: defaultdict[str, int] = defaultdict(int)
    for one in seen:
        if one.error:
            errors[one.kind] += 1
        else:
            taken[one.kind].append(one.ms)
    drops = len(taken.pop("drop", []))
    for times in taken.values():
        times.sort()
    rows = [_row(kind, taken[kind], errors[kind]) for kind in sorted({*taken, *errors})]
    text = table(("what", "times", "p50", "p99", "longest", "failed"), rows)
    return text, [*_figures(taken, sum(errors.values()), drops)]


def _figures(taken: dict[str, list[float]], errors: int, drops: int) -> Iterable[Figure]:
    done = sum(map(len, taken.values()))
    back = sum(ms <= SOON_MS for ms in taken["recovery"])
    yield at_most("from one person's send to another's screen: p99", share(taken["sync"], 0.99), SYNC_MS, "ms")
    recovery = share(taken["recovery"], 0.99)
    yield at_most("from a lost connection to everything being there: p99", recovery, RECOVERY_MS, "ms")
    yield at_most("failed", 100 * errors / max(1, done + errors), ERRORS_PERCENT, "%")
    yield at_least(f"of {drops} who were cut off, back within 5 s", 100 * back / max(1, drops), BACK_PERCENT, "%")


def share(times: list[float], part: float) -> float:
    return times[int(len(times) * part)] if times else float("inf")


def _row(kind: str, times: list[float], failed: int) -> tuple[str, ...]:
    figures = (share(times, 0.5), share(times, 0.99), share(times, 1 - 1e-12))
    return kind, f"{len(times):,}", *(f"{one:,.0f} ms" for one in figures), str(failed)
