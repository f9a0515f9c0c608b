"""What a thousand people saw is judged by the targets of docs/benchmarks.md."""

from bench.life import Seen
from bench.verdict import verdict


def held(seen: list[Seen]) -> list[bool | None]:
    return [figure.holds for figure in verdict(seen)[1]]


def test_a_good_run_holds_everything() -> None:
    seen = [Seen("sync", 20.0)] * 100 + [Seen("drop"), Seen("recovery", 1200.0)]
    assert held(seen) == [True, True, True, True]


def test_slow_lost_and_failed_are_told_apart() -> None:
    slow = [Seen("sync", 200.0)] * 10 + [Seen("drop"), Seen("recovery", 6000.0)]
    assert held(slow) == [False, False, True, False]
    failed = [Seen("sync", 20.0)] * 10 + [Seen("drop"), Seen("read", error="failed")]
    assert held(failed) == [True, False, False, False]


def test_a_run_without_anything_holds_nothing_by_accident() -> None:
    assert held([Seen("drop")]) == [False, False, True, False]
