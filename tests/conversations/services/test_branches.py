"""The verbs regenerate and select: answers beside each other."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import User
from conversations import selectors
from conversations.assistants import chunks
from conversations.context import building, terms
from conversations.models import Member, Message, Run
from conversations.services import branches, conversations, revisions, runs
from tests.conversations.support import answer, frames, refusal, replayed, say


@pytest.fixture
def asked(alice: User, bob: User) -> UUID:
    """Alice's conversation with the guide, who has answered `One`; Bob is an editor."""
    made = conversations.create(user=alice, assistant="guide", message="Hello", members=[{"user": bob.username}])
    answer(made.result(30).conversation.id, "One")
    return made.result().conversation.id


@pytest.fixture
def question(asked: UUID) -> UUID:
    return Message.objects.get(conversation=asked, role="user").id


@pytest.fixture
def first(asked: UUID) -> UUID:
    return Message.objects.get(conversation=asked, role="assistant").id


def shown(conversation: UUID) -> list[str]:
    return [one["text"] for one in selectors.messages(conversation, before_seq=None, after_seq=None, limit=50)]


def versions(conversation: UUID, message: UUID) -> list[tuple[str, bool]]:
    return [(one["text"], one["selected"]) for one in selectors.versions(conversation, message)]


def test_an_answer_is_given_once_more(alice: User, asked: UUID, question: UUID, first: UUID) -> None:
    queued = branches.regenerate(user=alice, conversation=asked, message=first).result(30)

    assert queued.main["type"] == "run:queue"
    assert queued.main["data"] | {"run": ""} == {
        "run": "", "reply_to": str(question), "reply_seq": 3, "assistant": "guide", "branch_of": str(first),
    }  # fmt: skip
    assert shown(asked) == ["Hello", "One"]
    second = answer(asked, "Two")
    assert frames(asked)[-2]["data"]["branch_of"] == str(first)
    assert shown(asked) == ["Hello", "Two"]
    assert versions(asked, second) == versions(asked, first) == [("One", False), ("Two", True)]
    branches.regenerate(user=alice, conversation=asked, message=second).result(30)
    third = answer(asked, "Three")
    assert Message.objects.get(id=third).branch_of == first
    assert [one["message"] for one in selectors.message(asked, third)["versions"]] == [
        str(first), str(second), str(third),
    ]  # fmt: skip
    replayed(asked)


def test_one_of_them_is_chosen(alice: User, bob: User, asked: UUID, first: UUID) -> None:
    branches.regenerate(user=alice, conversation=asked, message=first).result(30)
    second = answer(asked, "Two")

    chosen = branches.select(user=bob, conversation=asked, message=first).result(30)
    again = branches.select(user=bob, conversation=asked, message=first).result(30)

    assert (chosen.main["type"], chosen.main["data"]) == (
        "branch:select",
        {"message": str(first), "branch_of": str(first)},
    )
    assert again.frames == ()
    assert shown(asked) == ["Hello", "One"]
    assert versions(asked, second) == [("One", True), ("Two", False)]
    assert Message.objects.get(id=second).changed_seq == chosen.main["seq"]
    replayed(asked)


def sent(conversation: UUID, message: UUID) -> list[str]:
    """What an assistant is sent to answer a message."""
    return [line.text for line in building.build(conversation, terms.for_assistant(None), message).lines]


def test_assistants_are_sent_the_chosen_one(alice: User, asked: UUID, first: UUID) -> None:
    branches.regenerate(user=alice, conversation=asked, message=first).result(30)
    answer(asked, "Two")
    later = say(alice, asked, "And?")
    assert sent(asked, later) == ["Hello", "Two", "And?"]

    branches.select(user=alice, conversation=asked, message=first).result(30)

    assert sent(asked, later) == ["Hello", "One", "And?"]


def test_an_answer_in_progress_stays_as_it_is(alice: User, asked: UUID, question: UUID, first: UUID) -> None:
    say(alice, asked, "And?")
    claim = runs.claim(conversation=asked, worker="test")
    assert claim
    chunks.store(chunks.Piece(claim, "Half", 0)).result(30)

    branches.regenerate(user=alice, conversation=asked, message=claim.message).result(30)

    assert shown(asked)[-1] == "Half"
    assert runs.claim(conversation=asked, worker="test") is None
    runs.end(claim=claim, status="completed", text="Half and half").result(30)
    answer(asked, "Anew")
    assert versions(asked, claim.message) == [("Half and half", False), ("Anew", True)]
    replayed(asked)


def test_by_the_question(alice: User, asked: UUID, question: UUID, first: UUID) -> None:
    branches.regenerate(user=alice, conversation=asked, message=question).result(30)

    assert versions(asked, answer(asked, "Two")) == [("One", False), ("Two", True)]


def test_a_question_that_nobody_answered(alice: User, conversation: UUID) -> None:
    asked = say(alice, conversation, "Anybody?")

    assert refusal(branches.regenerate(user=alice, conversation=conversation, message=asked)) == "invalid"
    branches.regenerate(user=alice, conversation=conversation, message=asked, assistant="guide").result(30)
    twice = branches.regenerate(user=alice, conversation=conversation, message=asked, assistant="guide")
    assert refusal(twice) == "conflict"
    assert Message.objects.get(id=answer(conversation, "Here")).branch_of is None
    replayed(conversation)


def test_a_deleted_answer_can_be_given_anew(alice: User, asked: UUID, first: UUID) -> None:
    revisions.delete(user=alice, conversation=asked, message=first).result(30)

    branches.regenerate(user=alice, conversation=asked, message=first).result(30)

    assert versions(asked, answer(asked, "Two")) == [("Two", True)]
    assert refusal(branches.select(user=alice, conversation=asked, message=first)) == "conflict"


def test_a_deleted_question_is_not_answered(alice: User, asked: UUID, question: UUID, first: UUID) -> None:
    revisions.delete(user=alice, conversation=asked, message=question).result(30)

    for message in (question, first):
        assert refusal(branches.regenerate(user=alice, conversation=asked, message=message)) == "conflict"


@pytest.mark.parametrize(("role", "code"), [("viewer", "forbidden"), (None, "not_found")])
def test_roles(bob: User, asked: UUID, first: UUID, role: str | None, code: str) -> None:
    mine = Member.objects.filter(conversation=asked, user=bob)
    mine.update(role=role) if role else mine.delete()

    assert refusal(branches.regenerate(user=bob, conversation=asked, message=first)) == code
    assert refusal(branches.select(user=bob, conversation=asked, message=first)) == code


def test_refusals(alice: User, asked: UUID, first: UUID) -> None:
    def regenerate(**given: Any) -> str:
        return refusal(branches.regenerate(user=alice, conversation=asked, message=first, **given))

    assert refusal(branches.regenerate(user=alice, conversation=asked, message=uuid4())) == "not_found"
    branches.regenerate(user=alice, conversation=asked, message=first).result(30)
    assert regenerate(on_busy="reject") == "conversation_busy"
    conversations.update(user=alice, conversation=asked, changes={"status": "closed"}).result(30)
    assert regenerate() == "conversation_closed"
    assert Run.objects.filter(conversation=asked).count() == 2
