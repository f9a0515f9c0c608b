"""The fold is a second opinion: it comes to what the rows say, in one go or in any two parts."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from conversations import projections
from conversations.event_types import EVENT_TYPES
from conversations.fold import FOLDS, Fold, Gap
from conversations.integrity import rows
from conversations.models import Event
from tests.conversations.support import replayed
from tests.conversations.timetravel.stories import SEEDS, told

Json = dict[str, Any]


@pytest.fixture
def cast(alice: User, bob: User, mallory: User) -> dict[str, User]:
    return {"alice": alice, "bob": bob, "mallory": mallory}


class Log:
    """The stored events of a conversation, in memory."""

    def __init__(self, conversation: UUID) -> None:
        self.events = list(Event.objects.filter(conversation=conversation).order_by("seq"))

    def read(self, seqs: Iterable[int]) -> Mapping[int, Event]:
        return {seq: self.events[seq - 1] for seq in seqs}

    def fold(self, start: Json | None = None, to: int | None = None, window: int | None = None) -> Json:
        fold = Fold(start, window=window, read=self.read)
        for event in self.events[fold.seq : to]:
            fold.apply(event)
        return fold.state()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS, window=st.sampled_from([1, 2, 5, 100]))
def test_any_story(cast: dict[str, User], seed: int, window: int) -> None:
    story = told(cast, seed)
    log = Log(story.id)
    whole = log.fold()
    _check_it_comes_to_what_the_rows_say(whole, rows.read(story.id))
    replayed(story.id)
    cut = log.fold(window=window)
    _check_the_window_holds_the_newest(cut, whole)
    for split in range(len(log.events) + 1):
        before = json.loads(json.dumps(log.fold(to=split, window=window)))
        assert log.fold(before, window=window) == cut, split


def _check_it_comes_to_what_the_rows_say(folded: Json, found: Json) -> None:
    assert {name: folded[name] for name in found} == {**found, "feedback": folded["feedback"]}
    assert sorted(folded["feedback"], key=_place) == sorted(found["feedback"], key=_place)
    assert folded["messages_count"] == len(found["messages"])


def _check_the_window_holds_the_newest(cut: Json, whole: Json) -> None:
    assert cut["messages"] == whole["messages"][-cut["window"] :]
    for name in ("conversation", "members", "messages_count", "feedback", "sensitive"):
        assert cut[name] == whole[name], name
    assert cut["runs"] == [run for run in whole["runs"] if run["ended_at"] is None]


def test_it_refuses_what_does_not_follow(conversation: UUID) -> None:
    log = Log(conversation)
    with pytest.raises(Gap):
        Fold(None, window=None, read=log.read).apply(log.events[1])


def test_a_state_does_not_change_with_what_comes_after(conversation: UUID) -> None:
    log = Log(conversation)
    before = log.fold(to=1)
    kept = json.dumps(before)
    log.fold(before)
    assert json.dumps(before) == kept


def test_every_type_is_folded_and_projected() -> None:
    assert set(FOLDS) == set(EVENT_TYPES) == set(projections.HANDLERS)


def _place(row: Json) -> tuple[str, str]:
    return row["message"], row["user"]
