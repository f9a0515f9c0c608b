"""The verb `send`."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.models import Member, Run
from conversations.services import conversations, messages, runs
from tests.conversations.support import at_once, check_numbers, frames, refusal, replayed, texts


def jobs(conversation: UUID) -> int:
    return ProcrastinateJob.objects.filter(args__conversation=str(conversation)).count()


def test_a_message_is_said(alice: User, conversation: UUID) -> None:
    first = messages.send(user=alice, conversation=conversation, text="Hello", cmid="1", seen_seq=2).result(30)
    said = messages.send(
        user=alice, conversation=conversation, text="Reply", cmid="2", reply_to=first.main["data"]["message"]
    ).result(30)

    assert first.main["data"] | {"message": None} == {
        "message": None, "text": "Hello", "action": "chat", "reply_to": None, "seen_seq": 2,
        "tokens": {"o200k_base": 1},
    }  # fmt: skip
    assert said.main["data"]["reply_to"] == first.main["data"]["message"]
    assert jobs(conversation) == 0
    replayed(conversation)


def test_an_assistant_is_asked_in_the_same_transaction(alice: User, conversation: UUID) -> None:
    asked = messages.send(user=alice, conversation=conversation, text="Hello", cmid="1", assistant="guide").result(30)

    run = Run.objects.get(id=asked.main["data"]["run"])
    assert (run.status, run.assistant, str(run.reply_to)) == ("queued", "guide", asked.main["data"]["message"])
    assert jobs(conversation) == 1
    again = messages.send(user=alice, conversation=conversation, text="Hello", cmid="1", assistant="guide").result(30)
    assert (again.dup, again.main, jobs(conversation)) == (True, asked.main, 1)
    replayed(conversation)


def test_the_conversations_assistant_answers(alice: User) -> None:
    made = conversations.create(user=alice, assistant="guide").result(30).conversation.id

    asked = messages.send(user=alice, conversation=made, text="Hello", cmid="1").result(30)

    assert (asked.main["data"]["assistant"], jobs(made)) == ("guide", 1)
    replayed(made)


def test_a_busy_conversation_can_be_left_alone(alice: User) -> None:
    made = conversations.create(user=alice, assistant="guide", message="Hello").result(30).conversation.id

    refused = messages.send(user=alice, conversation=made, text="And?", cmid="1", on_busy="reject")
    queued = messages.send(user=alice, conversation=made, text="And?", cmid="1", on_busy="enqueue")

    assert refusal(refused) == "conversation_busy"
    assert queued.result(30).main["data"]["run"]
    runs.claim(conversation=made, worker="test")
    assert refusal(messages.send(user=alice, conversation=made, text="?", cmid="2", on_busy="reject")) == (
        "conversation_busy"
    )
    replayed(made)


def test_two_who_reject_at_once_are_not_both_first(alice: User) -> None:
    made = conversations.create(user=alice, assistant="guide").result(30).conversation.id

    outcomes = at_once(
        10, lambda n: messages.send(user=alice, conversation=made, text="?", cmid=f"{n}", on_busy="reject")
    )

    assert sum(outcome.exception(30) is None for outcome in outcomes) == 1
    assert Run.objects.filter(conversation=made).count() == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"text": ""}, "invalid"),
        ({"text": "\n\t"}, "invalid"),
        ({"text": None}, "invalid"),
        ({"text": 7}, "invalid"),
        ({"text": "a\0b"}, "invalid"),
        ({"text": "\ud83d"}, "invalid"),
        ({"text": "x" * 32001}, "too_large"),
        ({"cmid": ""}, "invalid"),
        ({"cmid": None}, "invalid"),
        ({"cmid": "a\nb"}, "invalid"),
        ({"cmid": "x" * 121}, "invalid"),
        ({"action": "dance"}, "invalid"),
        ({"assistant": "nobody"}, "invalid"),
        ({"on_busy": "explode"}, "invalid"),
        ({"reply_to": "x"}, "invalid"),
        ({"reply_to": str(uuid4())}, "invalid"),
    ],
)
def test_send_refuses(alice: User, conversation: UUID, given: dict[str, Any], code: str) -> None:
    complete = {"text": "Hello", "cmid": "1", **given}
    with pytest.raises(Problem, match=f"^{code}:"):
        messages.send(user=alice, conversation=conversation, **complete).result(30)
    assert check_numbers(conversation) == 2


def test_a_reply_stays_in_its_conversation(alice: User, conversation: UUID) -> None:
    elsewhere = conversations.create(user=alice, message="Hello").result(30).main["data"]["message"]
    assert refusal(messages.send(user=alice, conversation=conversation, text="?", cmid="1", reply_to=elsewhere)) == (
        "invalid"
    )


@pytest.mark.parametrize("status", ["closed", "archived"])
def test_a_closed_conversation_takes_nothing_more(alice: User, conversation: UUID, status: str) -> None:
    early = messages.send(user=alice, conversation=conversation, text="Early", cmid="1").result(30)
    conversations.update(user=alice, conversation=conversation, changes={"status": status}).result(30)

    assert refusal(messages.send(user=alice, conversation=conversation, text="Late", cmid="2")) == (
        "conversation_closed"
    )
    again = messages.send(user=alice, conversation=conversation, text="Early", cmid="1").result(30)
    assert (again.dup, again.main["seq"]) == (True, early.main["seq"])


@pytest.mark.parametrize(
    ("role", "code"), [("editor", None), ("agent", None), ("viewer", "forbidden"), (None, "not_found")]
)
def test_roles(bob: User, mallory: User, conversation: UUID, role: str | None, code: str | None) -> None:
    if role:
        Member.objects.filter(conversation=conversation, user=bob).update(role=role)
    user = bob if role else mallory
    outcome = messages.send(user=user, conversation=conversation, text="Hello", cmid="1")

    assert (refusal(outcome) if outcome.exception(30) else None) == code


def test_a_key_beside_a_cmid(alice: User, conversation: UUID) -> None:
    def send(text: str, cmid: str) -> Any:
        return messages.send(user=alice, conversation=conversation, text=text, cmid=cmid, idempotency_key="key")

    first = send("Hello", "1").result(30)

    assert send("Hello", "1").result(30).main == first.main
    assert refusal(send("Hello", "2")) == "idempotency_mismatch"
    assert refusal(send("Good-bye", "1")) == "conflict"
    assert texts(conversation) == ["Hello"]


def test_a_message_that_another_session_has_not_seen(alice: User, bob: User, conversation: UUID) -> None:
    """Both write with the same head on screen; both are kept, in one order."""
    outcomes = [
        messages.send(user=user, conversation=conversation, text=user.name, cmid="1", seen_seq=2).result(30)
        for user in (alice, bob)
    ]
    assert [outcome.main["seq"] for outcome in outcomes] == [3, 4]
    assert [frame["data"]["seen_seq"] for frame in frames(conversation)[2:]] == [2, 2]
