"""Half an hour of visits is judged: what grows with them is found, what comes and goes is not."""

from collections.abc import Callable

from bench.flatness import KIB, MIB, Sample, figures


def held(memory: Callable[[int], float], *, left: int = 0) -> list[bool | None]:
    samples = [Sample(at, int(200 * MIB + memory(at)), 30, 10, at * 4) for at in range(0, 1800, 10)]
    last = Sample(1800, 200 * MIB, left, 0, 7200)
    return [figure.holds for figure in figures(samples, last)]


def test_flat() -> None:
    assert held(lambda at: 3 * MIB * (at % 50 < 20)) == [True, None, True]


def test_a_warm_up_is_no_growth() -> None:
    assert held(lambda at: 20 * MIB * min(1, at / 300)) == [True, None, True]


def test_some_kilobytes_of_every_visit_are_found() -> None:
    assert held(lambda at: at * 4 * 3 * KIB)[0] is False


def test_whoever_is_left_is_found() -> None:
    assert held(lambda at: 0, left=1)[2] is False
