"""The verb `give`, and what it counts."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import selectors
from conversations.models import Conversation
from conversations.services import feedback, members
from tests.conversations.support import at_once, frames, refusal, replayed, say


@pytest.fixture
def said(alice: User, conversation: UUID) -> UUID:
    return say(alice, conversation, "Hello")


def counted(conversation: UUID) -> tuple[int, ...]:
    row = Conversation.objects.get(id=conversation)
    return row.up, row.down, row.solved, row.copied


def test_everybody_has_one_opinion(alice: User, bob: User, conversation: UUID, said: UUID) -> None:
    members.change(actor=alice, conversation=conversation, user=bob.id, role="viewer").result(30)

    def give(user: User, **changes: Any) -> None:
        feedback.give(user=user, conversation=conversation, message=said, changes=changes).result(30)

    give(alice, rating="up", comment="Good")
    give(bob, rating="down", solved=True)
    assert counted(conversation) == (1, 1, 1, 0)
    give(alice, copied=True)
    give(bob, rating="up")
    assert counted(conversation) == (2, 0, 1, 1)
    give(bob, rating=None, solved=False)
    assert counted(conversation) == (1, 0, 0, 1)

    assert selectors.message(conversation, said, alice)["feedback"] == {
        "rating": "up", "solved": False, "copied": True, "comment": "Good",
    }  # fmt: skip
    assert selectors.message(conversation, said, bob)["feedback"]["rating"] is None
    [shown] = selectors.snapshot(conversation, alice)["snapshot"]["state"]["messages"]
    assert shown["feedback"]["comment"] == "Good"
    assert frames(conversation)[6]["data"] == {
        "message": str(said), "rating": "up", "solved": False, "copied": True, "comment": "Good",
    }  # fmt: skip
    assert selectors.wire_conversation(selectors.shown_conversation(bob, conversation))["feedback"] == {
        "up": 1, "down": 0, "solved": 0, "copied": 1,
    }  # fmt: skip
    replayed(conversation)


def test_what_says_nothing_new_is_not_written(alice: User, conversation: UUID, said: UUID) -> None:
    changes = {"rating": "up", "comment": "Good"}
    at_once(8, lambda _: feedback.give(user=alice, conversation=conversation, message=said, changes=changes).result(30))

    assert [frame["type"] for frame in frames(conversation)].count("message:feedback") == 1
    assert counted(conversation) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "invalid"),
        ({"stars": 5}, "invalid"),
        ({"rating": "sideways"}, "invalid"),
        ({"rating": True}, "invalid"),
        ({"rating": ["up"]}, "invalid"),
        ({"solved": "yes"}, "invalid"),
        ({"copied": None}, "invalid"),
        ({"comment": 5}, "invalid"),
        ({"comment": "a\0b"}, "invalid"),
        ({"comment": "\ud800"}, "invalid"),
        ({"comment": "x" * 2001}, "too_large"),
    ],
)
def test_bad_feedback(alice: User, conversation: UUID, said: UUID, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem, match=f"^{code}:"):
        feedback.give(user=alice, conversation=conversation, message=said, changes=changes)


def test_who_may(alice: User, mallory: User, conversation: UUID, said: UUID) -> None:
    given: dict[str, Any] = {"conversation": conversation, "changes": {"rating": "up"}}

    assert refusal(feedback.give(user=mallory, message=said, **given)) == "not_found"
    assert refusal(feedback.give(user=alice, message=uuid4(), **given)) == "not_found"
