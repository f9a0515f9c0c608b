"""`@name`: who answers in a conversation with several assistants."""

from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from conversations.models import Message, Run
from conversations.services import addressing, branches, conversations
from tests.conversations.support import answer, frames, replayed, say

OFFERED = override_settings(
    ASSISTANTS=dict.fromkeys(("guide", "other", "third-one"), "conversations.assistants.builtin.guide.Guide")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@guide hello", ["guide"]),
        ("Hello @Guide.", ["guide"]),
        ("What do you think, @third-one, and @guide? @guide!", ["third-one", "guide"]),
        ("你好@guide", []),
        ("(@other)", ["other"]),
        ("ada@guide.com, a.b@guide", []),
        ("@guide.com @nobody @ guide @@guide @guides", []),
        ("no names", []),
    ],
)
@OFFERED
def test_who_is_meant(text: str, expected: list[str]) -> None:
    assert addressing.named(text) == expected


@OFFERED
def test_what_is_left_without_the_names_in_front() -> None:
    assert addressing.without_names("@guide, @other: how do I back up?") == "how do I back up?"
    assert addressing.without_names("how, @guide?") == "how, @guide?"
    assert addressing.without_names("@nobody how?") == "@nobody how?"


@OFFERED
def test_the_one_that_is_named_answers_with_or_without_an_assistant_of_the_conversation(alice: User) -> None:
    for usual in ("guide", None):
        place = conversations.create(user=alice, assistant=usual).result(30).conversation.id
        say(alice, place, "@other hello")
        assert [run.assistant for run in Run.objects.filter(conversation=place)] == ["other"]
        replayed(place)


@OFFERED
def test_several_answer_in_their_order_each_to_the_question(alice: User) -> None:
    made = conversations.create(user=alice, message="@third-one and @guide: hello").result(30)
    place = made.conversation.id
    say(alice, place, "@guide and @other, too")
    for text in ("A", "B", "C", "D"):
        answer(place, text)
    questions = [event["data"]["message"] for event in frames(place) if event["type"] == "message:new"]
    said = list(Message.objects.filter(conversation=place, role="assistant").order_by("anchor", "seq"))
    assert [(row.author_name, str(row.reply_to)) for row in said] == [
        ("third-one", questions[0]), ("guide", questions[0]), ("guide", questions[1]), ("other", questions[1])
    ]  # fmt: skip
    assert all(row.selected for row in said), "they are no alternatives of each other"
    seqs = {event["data"]["message"]: event["seq"] for event in frames(place) if event["type"] == "message:new"}
    queued = [event["data"] for event in frames(place) if event["type"] == "run:queue"]
    assert [data["reply_seq"] for data in queued] == [seqs[data["reply_to"]] for data in queued]
    replayed(place)


@OFFERED
def test_interrupting_stops_what_runs_and_asks_all_that_are_named(alice: User) -> None:
    place = conversations.create(user=alice, assistant="guide", message="Hello").result(30).conversation.id
    say(alice, place, "@other and @guide", on_busy="interrupt")
    runs = Run.objects.filter(conversation=place).order_by("queued_seq")
    assert [(run.assistant, run.status) for run in runs] == [
        ("guide", "stopped"), ("other", "queued"), ("guide", "queued")
    ]  # fmt: skip
    replayed(place)


@OFFERED
def test_an_assistant_given_beside_the_text_stands_above_names(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "@other hello", assistant="guide")
    assert Run.objects.get(conversation=conversation).assistant == "guide"


@OFFERED
def test_one_of_several_answers_can_be_given_anew(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "@guide and @other")
    answer(conversation, "A")
    second = answer(conversation, "B")
    branches.regenerate(user=alice, conversation=conversation, message=second).result(30)
    answer(conversation, "B anew")
    shown = Message.objects.filter(conversation=conversation, role="assistant", selected=True).order_by("anchor", "seq")
    assert [row.author_name for row in shown] == ["guide", "other"]
    replayed(conversation)
