"""A figure says by itself whether its target was met."""

from bench.figures import Figure, at_least, at_most, summary


def test_targets_are_judged() -> None:
    assert at_least("faster", 41.0, 40).holds
    assert not at_least("faster", 39.9, 40).holds
    assert at_most("p99", 99.9, 100, "ms").holds
    assert not at_most("p99", 100.1, 100, "ms").holds


def test_a_summary_is_a_table_with_verdicts() -> None:
    lines = summary([at_least("faster", 2.0, 40), Figure("sockets per second", "100")]).splitlines()
    assert [line.split("|")[-2].strip() for line in lines[2:]] == ["NO", "–"]
    assert len({len(line) for line in lines}) == 1
