"""Going back: what was visible at a seq is visible again, nothing is deleted, and going back can be undone."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from conversations import selectors, wire
from conversations.assistants import chunks
from conversations.models import Conversation, Event, Message, Run
from conversations.services import conversations, messages, restoring, runs
from tests.conversations.support import frames, refusal, replayed
from tests.conversations.timetravel.stories import SEEDS, Story, told
from tests.conversations.timetravel.test_fold import Log


def visible(conversation: UUID) -> list[str]:
    """What the page shows."""
    return [
        wire.message_text(row) for row in Message.objects.filter(conversation=conversation).visible().order_by("seq")
    ]


def head(conversation: UUID) -> int:
    return Conversation.objects.get(id=conversation).last_seq


def say(user: User, conversation: UUID, text: str) -> int:
    return messages.send(user=user, conversation=conversation, text=text, cmid=text).result(10).main["seq"]


def go_back(user: User, conversation: UUID, to_seq: int) -> None:
    restoring.restore(user=user, conversation=conversation, to_seq=to_seq).result(10)


@pytest.fixture
def story(alice: User, bob: User, mallory: User) -> Story:
    return Story({"alice": alice, "bob": bob, "mallory": mallory})


def test_what_came_later_is_hidden_and_what_was_changed_is_as_before(story: Story, alice: User) -> None:
    for text in ("One", "Two", "Three"):
        story.send("alice", text, None, text).result(10)
    seq = head(story.id)
    story.edit("alice", 0, "Another").result(10)
    story.delete("alice", 1).result(10)
    say(alice, story.id, "Later")
    assert visible(story.id) == ["Another", "Three", "Later"]

    go_back(alice, story.id, seq)

    assert visible(story.id) == ["One", "Two", "Three"]
    assert Message.objects.filter(conversation=story.id, status="hidden").count() == 1
    assert [frame["type"] for frame in frames(story.id)][-1] == "conversation:restore"
    replayed(story.id)


def test_a_restore_can_be_undone_and_done_again(alice: User, conversation: UUID) -> None:
    first, second = say(alice, conversation, "One"), say(alice, conversation, "Two")
    go_back(alice, conversation, first)
    undone = head(conversation)
    go_back(alice, conversation, second)
    assert visible(conversation) == ["One", "Two"]
    go_back(alice, conversation, undone)
    assert visible(conversation) == ["One"], "the state after the first restore, as it was seen then"
    go_back(alice, conversation, 1)
    assert visible(conversation) == []
    go_back(alice, conversation, second)
    assert visible(conversation) == ["One", "Two"]
    replayed(conversation)


def test_members_title_pins_and_feedback_stay(story: Story, alice: User) -> None:
    story.send("alice", "Pinned", None, "1").result(10)
    seq = head(story.id)
    story.pin("alice", 0, True).result(10)
    story.feedback("bob", 0, {"rating": "up", "solved": True}).result(10)
    story.update("alice", {"title": "New", "tags": ["kept"]}).result(10)
    story.add("alice", "mallory", "viewer").result(10)

    go_back(alice, story.id, seq)

    row = Conversation.objects.get(id=story.id)
    assert (wire.title(row), row.tags, row.up, row.solved) == ("New", ["kept"], 1, 1)
    assert row.members.count() == 3
    assert Message.objects.get(conversation=story.id).pinned


def test_running_and_queued_answers_end_in_the_same_commit(alice: User) -> None:
    made = conversations.create(user=alice, assistant="guide", message="First").result(10)
    id_ = made.conversation.id
    seq = head(id_)
    claim = runs.claim(conversation=id_, worker="test")
    assert claim
    chunks.store(chunks.Piece(claim, "Half an", 0)).result(10)
    say(alice, id_, "Second")

    done = restoring.restore(user=alice, conversation=id_, to_seq=seq).result(10)

    assert [frame["type"] for frame in done.frames] == ["run:end", "run:end", "conversation:restore"]
    assert [frame["data"]["status"] for frame in done.frames[:2]] == ["stopped", "stopped"]
    assert done.frames[0]["data"]["text"] == "Half an"
    assert visible(id_) == ["First"], "the answer began later"
    assert not Run.objects.filter(conversation=id_, ended_at=None)
    late: Any = chunks.store(chunks.Piece(claim, " answer", 7))
    assert refusal(late) == "run_not_active"
    assert runs.claim(conversation=id_, worker="test") is None
    replayed(id_)


def test_an_answer_that_was_being_written_stays_with_its_whole_text(story: Story, alice: User) -> None:
    story.send("alice", "Ask", "guide", "1").result(10)
    story.take()
    seq = head(story.id)
    story.end("completed").result(10)
    story.delete("alice", 1).result(10)
    go_back(alice, story.id, seq)
    assert visible(story.id) == ["Ask", "All"]
    assert Message.objects.get(conversation=story.id, role="assistant").status == "complete"
    replayed(story.id)


def test_only_the_owner_goes_back(alice: User, bob: User, mallory: User, conversation: UUID) -> None:
    for user, code in ((bob, "forbidden"), (mallory, "not_found")):
        assert refusal(restoring.restore(user=user, conversation=conversation, to_seq=1)) == code


@pytest.mark.parametrize("seq", [0, 3, 10**12])
def test_only_to_numbers_of_the_log(alice: User, conversation: UUID, seq: int) -> None:
    assert refusal(restoring.restore(user=alice, conversation=conversation, to_seq=seq)) == "not_found"
    assert head(conversation) == 2


def test_the_same_request_again_is_the_same_restore(alice: User, conversation: UUID) -> None:
    done = [restoring.restore(user=alice, conversation=conversation, to_seq=1, cmid="once").result(10) for _ in "12"]
    assert [one.dup for one in done] == [False, True]
    assert head(conversation) == 3


def test_staff_go_back_and_leave_a_trace(alice: User, mallory: User, conversation: UUID) -> None:
    done = restoring.restore_as_staff(staff=mallory, conversation=conversation, to_seq=1).result(10)
    assert (done.main["actor"]["id"], done.main["data"]) == ("staff", {"to_seq": 1})
    entry = AuditEntry.objects.get(action="conversation.restored", target_id=str(conversation))
    assert (entry.actor_id, entry.detail) == (mallory.id, {"to_seq": 1})


async def test_connected_members_see_it_at_once(alice: User, bob_socket: Any, conversation: UUID) -> None:
    await bob_socket.say(type="join", ref="j", conversation=str(conversation))
    await bob_socket.hear("joined")
    await asyncio.wrap_future(restoring.restore(user=alice, conversation=conversation, to_seq=1))
    frame = await bob_socket.hear("conversation:restore")
    assert frame["data"] == {"to_seq": 1}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS, back=st.data())
def test_after_a_restore_is_visible_what_was_visible_then(
    alice: User, bob: User, mallory: User, seed: int, back: st.DataObject
) -> None:
    """The fold of the log up to a seq says what was visible at it; a restore to it gives just that."""
    story = told({"alice": alice, "bob": bob, "mallory": mallory}, seed)
    for _ in range(3):
        seq = back.draw(st.integers(1, head(story.id)))
        go_back(alice, story.id, seq)
        rows = Message.objects.filter(conversation=story.id).visible().order_by("seq")
        assert [(str(row.id), _version(row)) for row in rows] == _seen(Log(story.id), seq)
    replayed(story.id)


def _version(row: Message) -> str | None:
    return str(row.text_event)


def _seen(log: Log, seq: int) -> list[tuple[str, str | None]]:
    """Message and version of everything visible at `seq`; of a running answer the text that it came to."""
    ends = {event.data["message"]: str(event.id) for event in log.events if event.type == "run:end"}
    return [
        (row["id"], row["text_event"] or ends.get(row["id"]))
        for row in log.fold(to=seq)["messages"]
        if row["selected"] and row["status"] not in ("deleted", "hidden")
    ]


def test_it_costs_what_happened_since(alice: User, conversation: UUID) -> None:
    """Rows that did not change since then are not even looked at."""
    say(alice, conversation, "Before")
    seq = head(conversation)
    say(alice, conversation, "After")
    go_back(alice, conversation, seq)
    before, after = Message.objects.filter(conversation=conversation).order_by("seq")
    assert (before.changed_seq, after.changed_seq) == (before.seq, head(conversation))
    assert Event.objects.filter(conversation=conversation).count() == head(conversation)
    assert selectors.head(conversation)[1] == head(conversation)
