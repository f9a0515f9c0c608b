"""Registers merge the same whatever the order (PROTOCOL.md section 7)."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from conversations.registers import SKEW_MS, Clock, Register, Relation, admitted, merge, relation

vectors = st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), min_size=1)
registers = st.builds(
    Register, st.integers(0, 3), st.builds(Clock, vectors, st.integers(1, 5)), st.sampled_from("abc"), st.none()
)


@given(registers, registers)
def test_commutative(one: Register, other: Register) -> None:
    assert merge(one, other) == merge(other, one)


@given(registers, registers, registers)
def test_associative(one: Register, two: Register, three: Register) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(registers)
def test_idempotent(one: Register) -> None:
    assert merge(one, one) == one


@given(st.lists(registers, min_size=1, max_size=6), st.randoms())
def test_replicas_agree(writes: list[Register], random: object) -> None:
    shuffled = list(writes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reduce(merge, writes) == reduce(merge, [*shuffled, *writes])


@given(vectors, vectors)
def test_relations_mirror_each_other(one: dict[str, int], other: dict[str, int]) -> None:
    mirror = {Relation.SUCCESSOR: Relation.PREDECESSOR, Relation.PREDECESSOR: Relation.SUCCESSOR}
    found = relation(one, other)
    assert relation(other, one) == mirror.get(found, found)


@given(registers, registers, st.integers(10_000, 20_000))
def test_whoever_has_seen_it_wins(current: Register, write: Register, now: int) -> None:
    """However wrong the clock of the second writer is."""
    seen = {**current.clock.vector, "z": 1}
    follows = admitted(Register(write.value, Clock(seen, write.clock.wall), "z"), current, now)
    assert merge(current, follows).value == follows.value


@given(registers, st.integers(10_000, 20_000), st.integers(0, 2**50))
def test_no_clock_runs_away(write: Register, now: int, wall: int) -> None:
    found = admitted(Register(write.value, Clock(write.clock.vector, wall), "a"), None, now)
    assert abs(found.clock.wall - now) <= SKEW_MS
