"""What becomes of unfinished answers when somebody speaks again: on_busy."""

from uuid import UUID

import pytest
from django.db import connections

from accounts.models import User
from conversations.models import Message, Run
from conversations.services import answering, branches, conversations, messages, runs
from tests.conversations.assistants.conftest import provider
from tests.conversations.assistants.support import ask, asked
from tests.conversations.support import at_once, check_numbers, frames, refusal, replayed
from tests.provider import Provider

__all__ = ["provider"]


def send(user: User, conversation: UUID, text: str, on_busy: str) -> Run:
    return Run.objects.get(
        id=messages.send(user=user, conversation=conversation, text=text, cmid=text, on_busy=on_busy)
        .result(30)
        .main["data"]["run"]
    )


def statuses(conversation: UUID) -> list[str]:
    return list(Run.objects.filter(conversation=conversation).order_by("queued_seq").values_list("status", flat=True))


def shown(conversation: UUID) -> list[str]:
    rows = Message.objects.visible().filter(conversation=conversation).order_by("seq")
    return [row.role for row in rows if row.status != "deleted"]


def test_interrupt_stops_what_runs_and_what_waits(alice: User) -> None:
    conversation, claim = asked(alice)
    ask(alice, conversation, "Second")
    third = send(alice, conversation, "Third", "interrupt")
    assert statuses(conversation) == ["stopped", "stopped", "queued"]
    assert refusal(runs.end(claim=claim, status="completed", text="late")) == "run_not_active"
    begun = runs.claim(conversation=conversation, worker="test")
    assert begun
    assert begun.run == third.id
    assert shown(conversation).count("user") == 3
    said = [one for one in frames(conversation) if one["type"] == "message:new"][-1]
    assert (said["data"]["text"], said["data"]["on_busy"], said["cmid"]) == ("Third", "interrupt", "Third")
    replayed(conversation)


def test_rollback_is_as_if_it_had_not_been_asked(alice: User) -> None:
    conversation, _ = asked(alice)
    ask(alice, conversation, "Second")
    third = send(alice, conversation, "Third", "rollback")
    assert statuses(conversation) == ["stopped", "stopped", "queued"]
    assert shown(conversation) == ["user"]
    assert Message.objects.get(id=third.reply_to).status == "complete"
    replayed(conversation)


def test_rollback_deletes_what_two_were_asked_once(alice: User, provider: Provider) -> None:
    place = conversations.create(user=alice, assistant="guide").result(30).conversation.id
    messages.send(user=alice, conversation=place, text="@guide @openai Both?", cmid="both").result(30)
    send(alice, place, "Third", "rollback")
    assert statuses(place) == ["stopped", "stopped", "queued"]
    deleted = [one["data"]["message"] for one in frames(place) if one["type"] == "message:delete"]
    assert len(deleted) == len(set(deleted)) == 1
    replayed(place)


def test_a_question_that_another_answers_is_not_taken_back(alice: User, provider: Provider) -> None:
    made = conversations.create(user=alice, message="Hello").result(30)
    place = made.conversation.id
    messages.send(user=alice, conversation=place, text="@guide @openai Both?", cmid="both").result(30)
    begun = runs.claim(conversation=place, worker="test")
    assert begun
    runs.end(claim=begun, status="completed", text="One.").result(30)
    answering.take_back(user=alice, run=Run.objects.get(conversation=place, status="queued")).result(30)
    assert shown(place) == ["user", "user", "assistant"]
    messages.send(user=alice, conversation=place, text="@guide @openai Both?", cmid="again").result(30)
    for run in Run.objects.filter(conversation=place, status="queued"):
        answering.take_back(user=alice, run=run).result(30)
    assert shown(place) == ["user", "user", "assistant"], "with its last answer it is"
    replayed(place)


def test_rollback_leaves_the_questions_of_others(alice: User, bob: User) -> None:
    members = [{"user": str(bob.id), "role": "editor"}]
    made = conversations.create(user=alice, assistant="guide", message="Hers", members=members).result(30)
    send(bob, made.conversation.id, "His", "rollback")
    assert shown(made.conversation.id) == ["user", "user"]
    replayed(made.conversation.id)


def test_rollback_of_another_answer_brings_back_the_one_before(alice: User) -> None:
    conversation, claim = asked(alice)
    runs.end(claim=claim, status="completed", text="First answer").result(30)
    branches.regenerate(user=alice, conversation=conversation, message=claim.message).result(30)
    assert runs.claim(conversation=conversation, worker="test")
    send(alice, conversation, "Next", "rollback")
    assert Message.objects.get(id=claim.message).selected
    assert shown(conversation) == ["user", "assistant", "user"]
    replayed(conversation)


@pytest.mark.parametrize("policy", ["interrupt", "rollback", "reject", "enqueue"])
def test_with_nothing_unfinished_all_are_the_same(alice: User, policy: str) -> None:
    conversation, claim = asked(alice)
    runs.end(claim=claim, status="completed", text="Done").result(30)
    assert send(alice, conversation, "Next", policy).status == "queued"
    assert shown(conversation) == ["user", "assistant", "user"]


def test_the_same_message_again_interrupts_once(alice: User) -> None:
    conversation, _ = asked(alice)
    first = send(alice, conversation, "Now", "interrupt")
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    assert send(alice, conversation, "Now", "interrupt") == first
    assert Run.objects.get(id=claim.run).status == "running"


def test_an_unknown_policy_is_refused(alice: User) -> None:
    conversation, _ = asked(alice)
    with pytest.raises(Exception, match="invalid"):
        messages.send(user=alice, conversation=conversation, text="x", cmid="x", on_busy="panic")


@pytest.mark.parametrize(("policy", "left"), [("enqueue", 21), ("interrupt", 1), ("rollback", 1), ("reject", 1)])
def test_many_at_once_never_leave_two_running(alice: User, policy: str, left: int) -> None:
    """However they meet: one answer at a time, and what is left is what the policy says."""
    conversation, _ = asked(alice)

    def speak(number: int) -> str:
        sent = messages.send(user=alice, conversation=conversation, text=f"M{number}", cmid=str(number), on_busy=policy)
        runs.claim(conversation=conversation, worker=str(number))
        # As all threads of the product do before they wait: there are fewer connections than threads here.
        connections.close_all()
        error = sent.exception(30)
        return "sent" if error is None else refusal(sent)

    outcomes = at_once(20, speak)
    assert set(outcomes) == ({"conversation_busy"} if policy == "reject" else {"sent"})
    unfinished = Run.objects.filter(conversation=conversation, ended_at=None)
    assert unfinished.count() == left
    assert unfinished.filter(status="running").count() <= 1
    check_numbers(conversation)
    replayed(conversation)
