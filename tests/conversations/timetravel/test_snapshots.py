"""Snapshots: taken of what changed, kept in part, passed over where damaged; and the state at any seq."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, given
from hypothesis import settings as fewer
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import fold, selectors
from conversations.models import Conversation, Event, Snapshot
from conversations.services import erasing, messages, snapshots
from conversations.snapshots import states
from conversations.snapshots.checksums import checksum
from tests.conversations.timetravel.stories import SEEDS, told
from tests.conversations.timetravel.test_fold import Log
from tests.conversations.timetravel.test_restore import say


def kept(conversation: UUID) -> list[int]:
    return list(Snapshot.objects.filter(conversation=conversation).order_by("seq").values_list("seq", flat=True))


def periodic(conversation: UUID) -> None:
    snapshots.take(conversation=conversation, reason="periodic")


def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the events that are folded from now on."""
    seen: list[int] = []
    apply = fold.Fold.apply

    def noting(self: Any, event: Event) -> None:
        seen.append(event.seq)
        apply(self, event)

    monkeypatch.setattr(fold.Fold, "apply", noting)
    return seen


def test_it_is_what_the_log_says(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "Hello")
    taken = snapshots.take(conversation=conversation)
    assert (taken.seq, taken.reason) == (3, "manual")
    assert taken.state == Log(conversation).fold(window=100)
    assert taken.checksum == checksum(conversation, 3, taken.state)
    assert "Hello" not in json.dumps(taken.state), "texts are envelopes"


def test_the_next_one_costs_what_came_after(alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    say(alice, conversation, "One")
    periodic(conversation)
    say(alice, conversation, "Two")
    seen = reads(monkeypatch)
    periodic(conversation)
    assert seen == [4]
    assert Snapshot.objects.get(conversation=conversation, seq=4).state == Log(conversation).fold(window=100)


@fewer(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS, data=st.data())
def test_the_state_at_any_seq(alice: User, bob: User, mallory: User, seed: int, data: st.DataObject) -> None:
    """From whichever snapshots there are, it is what the log alone comes to."""
    story = told({"alice": alice, "bob": bob, "mallory": mallory}, seed)
    log = Log(story.id)
    for seq in data.draw(st.sets(st.integers(1, len(log.events)), max_size=4)):
        snapshot = snapshots._snapshot(story.id, states.fold_at(story.id, seq), "manual")
        snapshot.save(force_insert=True)
    for seq in range(1, len(log.events) + 1):
        assert states.state_at(story.id, seq) == log.fold(to=seq, window=100), seq


def test_the_job_takes_what_changed_and_nothing_else(alice: User, conversation: UUID) -> None:
    snapshots.checkpoint()
    assert kept(conversation) == [2]
    assert snapshots._changed(set()) == []
    say(alice, conversation, "More")
    assert snapshots.checkpoint() >= 1
    assert kept(conversation) == [2, 3]


def test_the_job_comes_to_an_end_where_people_go_on_talking(
    alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = snapshots._store

    def stored(id_: UUID, *taken: Any) -> None:
        store(id_, *taken)
        if id_ == conversation:
            say(alice, conversation, "More")

    monkeypatch.setattr(snapshots, "_store", stored)
    snapshots.checkpoint()
    assert kept(conversation) == [2]
    snapshots.checkpoint()
    assert kept(conversation) == [2, 3]


def test_one_that_cannot_be_folded_holds_up_nobody(
    alice: User, conversation: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    snapshots.checkpoint()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE conversations_event SET seq = 9 WHERE conversation_id = %s AND seq = 2", [conversation])
        cursor.execute("UPDATE conversations_conversation SET last_seq = 9 WHERE id = %s", [conversation])
    Snapshot.objects.filter(conversation=conversation).delete()
    snapshots.checkpoint()
    assert f"no snapshot of {conversation}" in caplog.text
    Conversation.objects.filter(id=conversation).delete()


def test_the_newest_are_kept_and_those_on_demand(alice: User, conversation: UUID, settings: LazySettings) -> None:
    settings.SNAPSHOTS_KEPT, settings.SNAPSHOTS_KEPT_ON_DEMAND, settings.SNAPSHOT_SPACING = 2, 2, 1000
    for number in range(3):
        say(alice, conversation, f"{number}")
        snapshots.take(conversation=conversation)
        say(alice, conversation, f"{number} again")
        periodic(conversation)
    assert kept(conversation) == [5, 6, 7, 8]


def test_older_ones_are_kept_far_between(alice: User, conversation: UUID, settings: LazySettings) -> None:
    settings.SNAPSHOTS_KEPT, settings.SNAPSHOT_SPACING = 2, 4
    for number in range(12):
        say(alice, conversation, f"{number}")
        periodic(conversation)
    assert kept(conversation) == [3, 7, 11, 13, 14]


def test_a_long_log_gets_some_on_the_way(alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PAGE", 3)
    for number in range(5):
        say(alice, conversation, f"{number}")
    periodic(conversation)
    assert kept(conversation) == [3, 6, 7]


@pytest.mark.parametrize(
    "damage",
    [
        "state = jsonb_set(state, '{messages,0,status}', '\"deleted\"')",
        "checksum = repeat('0', 64)",
        "seq = seq - 1",
        "state = '{}'",
    ],
)
def test_a_damaged_one_is_passed_over(
    alice: User, conversation: UUID, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    say(alice, conversation, "One")
    periodic(conversation)
    say(alice, conversation, "Two")
    say(alice, conversation, "Three")
    periodic(conversation)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE conversations_snapshot SET {damage} WHERE conversation_id = %s AND seq = 5", [conversation]
        )
    assert states.state_at(conversation, 5) == Log(conversation).fold(window=100)
    assert "its checksum does not match" in caplog.text


def test_one_that_nothing_can_follow_is_passed_over(
    alice: User, conversation: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    """Its checksum is right, its content is not: the handler of the next event raises."""
    say(alice, conversation, "One")
    periodic(conversation)
    row = Snapshot.objects.get(conversation=conversation, seq=3)
    row.state["conversation"] = {}
    row.checksum = checksum(conversation, 3, row.state)
    row.save()
    messages.send(user=alice, conversation=conversation, text="Hi", cmid="2", assistant="guide").result(10)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_event SET data = data || '{\"sensitive\": true}'"
            " WHERE conversation_id = %s AND seq = 4",
            [conversation],
        )
    assert states.state_at(conversation, 4) == Log(conversation).fold(window=100)
    assert "cannot be applied" in caplog.text


def test_nothing_is_stored_of_what_is_erased(alice: User, conversation: UUID) -> None:
    snapshots.take(conversation=conversation)
    erasing.erase(user=alice, conversation=conversation)
    assert kept(conversation) == []
    with pytest.raises(Problem, match="conversation_closed"):
        snapshots.take(conversation=conversation)
    snapshots.checkpoint()
    assert kept(conversation) == []
    assert snapshots._changed(set()) == []


def plan(rows: Any) -> str:
    """How PostgreSQL would find them, were the tables long."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    try:
        return str(rows.explain())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = on")


def test_jsonb_is_found_by_its_indexes(alice: User, conversation: UUID) -> None:
    found = Conversation.objects.filter
    assert "conversation_metadata" in plan(found(metadata__contains={"customer": 7}))
    assert "conversation_tags" in plan(found(tags__contains=["urgent"]))
    holding = selectors.conversations_holding(author_id=str(alice.id))
    assert "snapshot_messages" in plan(holding)
    say(alice, conversation, "Hello")
    snapshots.take(conversation=conversation)
    assert [row["conversation_id"] for row in holding] == [conversation]
    changed = found(last_seq__gt=F("checkpoint_seq")).order_by("updated_at")[:10]
    assert "conversation_unchecked" in plan(changed)
