"""Pieces of running answers that are neighbours in a batch travel as one."""

import json
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.deltas import PIECE, delta_frame, joined_deltas
from realtime.hints import Item, item_of

CONVERSATION = UUID("018f0000-0000-7000-8000-000000000000")


def delta(run: str, offset: int, text: str) -> Item:
    return item_of(delta_frame(CONVERSATION, {"run": run, "message": "m", "text": text, "offset": offset}, 0))


def event(seq: int) -> Item:
    return Item(seq, "message:new", json.dumps({"type": "message:new", "seq": seq, "data": {}}))


def test_neighbours_are_one() -> None:
    hello, world, other = delta("a", 0, "Hel"), delta("a", 3, "lo 👋"), delta("b", 0, "Hi")
    assert joined_deltas([hello, world, other]) == [delta("a", 0, "Hello 👋"), other]


def test_what_does_not_continue_stays_apart() -> None:
    apart = [
        delta("a", 0, "Hel"),
        event(3),
        delta("a", 3, "lo"),
        delta("b", 5, "!"),
        delta("a", 5, "!"),
        delta("a", 7, "?"),
    ]
    assert joined_deltas(apart) == apart


def test_a_joined_piece_is_not_too_large() -> None:
    found = joined_deltas([delta("a", start * 30_000, "漢" * 30_000) for start in range(3)])
    assert [item.length for item in found] == [30_000] * 3
    assert all(item.length <= PIECE for item in joined_deltas([delta("a", n * 9_999, "x" * 9_999) for n in range(12)]))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=9)) | st.integers(1, 9), max_size=30))
@settings(deadline=None)
def test_joining_loses_nothing(story: list[tuple[str, str] | int]) -> None:
    """Every run's text is the same, and events keep their order and place between the pieces of a run."""
    items, lengths = [], {"a": 0, "b": 0}
    for part in story:
        if isinstance(part, int):
            items.append(event(part))
        else:
            items.append(delta(part[0], lengths[part[0]], part[1]))
            lengths[part[0]] += len(part[1])
    joined = joined_deltas(items)
    assert told(joined) == told(items)
    assert len(joined) <= len(items)


def told(items: list[Item]) -> list[object]:
    """What a client holds of each run whenever an event comes, and in the end."""
    held = {"a": "", "b": ""}
    found: list[object] = []
    for item in items:
        if item.type == "delta":
            assert item.offset == len(held[item.run])
            held[item.run] += json.loads(item.text)["text"]
        else:
            found.append((item.seq, dict(held)))
    return [*found, held]
