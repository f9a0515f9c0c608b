"""What every strategy keeps to, those of integrators included: for any past and any budget."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.context import base, ranges
from conversations.context.base import Budget, Digest, Entry, Past, size
from conversations.context.building import fitting

SUMMARY = 50
few = settings(max_examples=40)


class Memory:
    """A past without a database; it notes how much of it was read."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = sorted(entries, key=lambda one: one.place, reverse=True)
        self.read = 0

    def newest(self) -> Iterator[Entry]:
        for entry in self.entries:
            self.read += 1
            yield entry

    def kept(self, limit: int) -> Sequence[Entry]:
        return [entry for entry in self.entries if entry.is_kept][:limit]

    def digests(self, before: int) -> Iterator[Digest]:
        covered = ranges.cover(before)
        begun = covered[-1].to_seq + 1 if covered else 1
        if begun < before:
            yield Digest(begun, before - 1, "", SUMMARY)
        for one in reversed(covered):
            yield Digest(one.from_seq, one.to_seq, "", SUMMARY)

    def reserve(self, before: int) -> int:
        return (len(ranges.cover(before)) + 1) * SUMMARY


# Role, tokens, pinned.
SAID = st.tuples(
    st.sampled_from(["user", "user", "assistant", "system", "agent"]),
    st.sampled_from([5, 6, 12, 40, 90, 400, 3000]),
    st.sampled_from([False, False, False, True]),
)


def past_of(said: list[tuple[str, int, bool]]) -> Memory:
    """Messages with the seqs 1, 2, ...; answers stand behind the question before the last."""
    entries: list[Entry] = []
    questions: list[int] = []
    for seq, (role, tokens, pinned) in enumerate(said, 1):
        anchor = questions[-2:][0] if role == "assistant" and questions else seq
        entries.append(Entry(UUID(int=seq), seq, anchor, role, tokens, pinned))
        questions += [seq] if role == "user" else []
    return Memory(entries)


def pasts() -> st.SearchStrategy[Memory]:
    return st.lists(SAID, max_size=70).map(past_of)


def budgets() -> st.SearchStrategy[Budget]:
    """`messages` are those beside the one that is answered and the system's."""
    limits = st.integers(1, 60)
    return st.builds(
        lambda tokens, limit, others: Budget(tokens, max(0, limit - others), limit),
        st.integers(0, 3000),
        limits,
        st.integers(1, 3),
    )


@pytest.fixture(scope="session", params=base.names())
def strategy(request: pytest.FixtureRequest) -> base.Strategy:
    return base.get(request.param)


@few
@given(past=pasts(), budget=budgets())
def test_the_budget_is_never_exceeded(strategy: base.Strategy, past: Memory, budget: Budget) -> None:
    choice = strategy.choose(past, budget)
    assert size([*choice.entries, *choice.digests]) <= budget.tokens
    assert len(choice.entries) <= budget.messages
    assert len({entry.id for entry in choice.entries}) == len(choice.entries)
    assert fitting(choice, budget)[0] == sorted(choice.entries, key=lambda one: one.place)


@few
@given(past=pasts(), budget=budgets())
def test_what_is_chosen_was_said_and_whole(strategy: base.Strategy, past: Memory, budget: Budget) -> None:
    """Entries are taken or left as they are: that keeps tool calls and their results together."""
    assert set(strategy.choose(past, budget).entries) <= set(past.entries)


@few
@given(past=pasts(), budget=budgets())
def test_the_same_past_gives_the_same_choice(strategy: base.Strategy, past: Memory, budget: Budget) -> None:
    assert strategy.choose(past, budget) == strategy.choose(past, budget)


@few
@given(past=pasts(), budget=budgets())
def test_newer_ones_go_before_older_ones(strategy: base.Strategy, past: Memory, budget: Budget) -> None:
    """But for what stays anyway, there is no gap: all from the oldest that was chosen on."""
    chosen = strategy.choose(past, budget).entries
    plain = [entry.place for entry in chosen if not entry.is_kept]
    after = [entry.place for entry in past.entries if not entry.is_kept and plain and entry.place >= min(plain)]
    assert sorted(plain) == sorted(after)


@few
@given(past=pasts(), budget=budgets())
def test_what_is_left_out_has_a_reason(strategy: base.Strategy, past: Memory, budget: Budget) -> None:
    choice = strategy.choose(past, budget)
    assert not {entry.seq for entry in choice.entries} & choice.reasons.keys()
    assert {*choice.reasons.values(), choice.beyond} <= {base.BUDGET, base.WINDOW, base.NOT_SUMMARISED}


@few
@given(past=pasts(), budget=budgets())
def test_no_more_is_read_than_can_be_sent(strategy: base.Strategy, past: Memory, budget: Budget) -> None:
    strategy.choose(past, budget)
    assert past.read <= budget.messages + 1


@few
@given(past=pasts())
def test_everything_is_sent_while_it_fits(strategy: base.Strategy, past: Memory) -> None:
    choice = strategy.choose(past, Budget(size(past.entries), 200, 201))
    assert (set(choice.entries), list(choice.digests)) == (set(past.entries), [])


def talk(count: int, tokens: int = 10, **marks: object) -> Memory:
    """Messages 1..count of users; `marks` names those that are pinned or of the system by number."""
    roles = {int(name[1:]): mark for name, mark in marks.items()}
    entries = [
        Entry(UUID(int=n), n, n, "system" if roles.get(n) == "system" else "user", tokens, roles.get(n) == "pinned")
        for n in range(1, count + 1)
    ]
    return Memory(entries)


def seqs(entries: Sequence[Entry]) -> list[int]:
    return sorted(entry.seq for entry in entries)


def test_window_sends_a_hundred_and_of_more_the_newest_eighty_and_what_is_kept() -> None:
    window, budget = base.get("window"), Budget(4000, 99, 100)
    assert seqs(window.choose(talk(99), budget).entries) == list(range(1, 100))
    # The message that is answered is the 80th.
    chosen = window.choose(talk(150, _3="pinned", _5="system", _140="pinned"), budget)
    assert seqs(chosen.entries) == [3, 5, *range(72, 151)]
    assert chosen.reasons == dict.fromkeys(range(51, 72), base.WINDOW)


def test_window_drops_the_oldest_where_the_tokens_are_used_up_and_the_pinned_last() -> None:
    chosen = base.get("window").choose(talk(50, tokens=100, _1="pinned"), Budget(1000, 99, 100))
    assert seqs(chosen.entries) == [1, *range(42, 51)]
    assert set(chosen.reasons.values()) == {base.BUDGET}


def test_recent_goes_back_until_the_budget_is_used_up() -> None:
    recent = base.get("recent")
    assert recent.tokens == 2048
    chosen = recent.choose(talk(300, tokens=20, _1="pinned"), Budget(2048, 999, 1000))
    assert seqs(chosen.entries) == [1, *range(200, 301)]


def test_summary_covers_all_that_is_older() -> None:
    chosen = base.get("summary").choose(talk(500, tokens=20), Budget(2000, 99, 100))
    first = min(seqs(chosen.entries))
    covered = {seq for one in chosen.digests for seq in range(one.from_seq, one.to_seq + 1)}
    assert covered == set(range(1, first))
    assert first < 460


@given(st.integers(1, 5_000_000))
def test_ranges_cover_everything_in_front_once(before: int) -> None:
    covered = ranges.cover(before)
    ends = [0, *(one.to_seq for one in covered)]
    assert [one.from_seq for one in covered] == [end + 1 for end in ends[:-1]]
    assert before - 1 - ends[-1] in range(ranges.WIDTH)
    assert len(covered) <= (ranges.FAN - 1) * ranges.LEVELS


@given(st.integers(1, 10**9))
def test_every_range_around_a_seq_holds_it_and_is_part_of_the_next(seq: int) -> None:
    found = list(ranges.around(seq))
    assert all(one.from_seq <= seq <= one.to_seq for one in found)
    assert all(smaller in larger.parts for smaller, larger in pairwise(found))


def test_the_conformance_suite_has_all_strategies() -> None:
    assert base.names() == ["window", "recent", "summary"]
    assert isinstance(Memory([]).newest(), Iterator)
    past: Past = Memory([])
    assert not list(past.newest())
