"""Writing without JavaScript: what is taken, and what is given back."""

import re
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from conversations.models import Conversation
from tests.conversations.support import texts
from tests.conversations.views.visitor import Visitor

# The id of nothing.
NOBODY = "01900000-0000-7000-8000-000000000000"


def test_a_conversation_comes_into_being_with_its_first_message(alice: User, alices: Visitor) -> None:
    alices.get("/")
    assert not Conversation.objects.filter(owner=alice).exists()
    once = re.findall(r'name="once" value="([^"]+)"', alices.page)[0]
    there = alices.post("/", message="What is\r\nthis?", assistant="guide", once=once).headers["Location"]
    assert alices.post("/", message="What is\r\nthis?", assistant="guide", once=once).headers["Location"] == there
    conversation = Conversation.objects.get(owner=alice)
    assert there == f"/c/{conversation.id}/"
    assert texts(conversation.id) == ["What is\nthis?"]
    assert conversation.assistant == "guide"


def test_a_temporary_one_says_when_it_is_erased(alice: User, alices: Visitor) -> None:
    alices.get("/")
    assert 'name="temporary"' in alices.page
    there = alices.post("/", message="Hello", temporary="1").headers["Location"]
    assert Conversation.objects.get(owner=alice).expires_at
    alices.get(there)
    assert "(UTC)" in alices.page


def test_going_back_and_writing_something_else_begins_another(alice: User, alices: Visitor) -> None:
    first = alices.post("/", message="One", once="1").headers["Location"]
    assert alices.post("/", message="Two", once="1").headers["Location"] != first


def test_a_suggestion_is_sent_as_it_stands(alice: User, alices: Visitor) -> None:
    alices.post("/", message="", suggestion="Where are my messages stored?")
    assert texts(Conversation.objects.get(owner=alice).id) == ["Where are my messages stored?"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"message": " "}, 400), ({"message": "x" * 32001}, 413), ({"message": "x", "assistant": "nobody"}, 400)],
)
def test_what_is_refused_is_given_back(alice: User, alices: Visitor, fields: Any, status: int) -> None:
    assert alices.post("/", **fields).status_code == status
    assert f">{fields['message']}</textarea>" in alices.page
    assert 'role="alert"' in alices.page
    assert not Conversation.objects.filter(owner=alice).exists()


def test_a_message_without_javascript(alices: Visitor, bobs: Visitor, conversation: UUID, thread: str) -> None:
    alices.get(thread)
    once = re.findall(r'name="once" value="([^"]+)"', alices.page)[0]
    for _ in range(2):
        assert alices.post(thread, message="**Hello** Bob", once=once).headers["Location"] == thread
    assert texts(conversation) == ["**Hello** Bob"]
    bobs.get(thread)
    assert "<strong>Hello</strong> Bob" in bobs.page


def test_a_message_that_is_refused_is_given_back(alices: Visitor, conversation: UUID, thread: str) -> None:
    alices.post(thread + "status/", status="archived")
    assert alices.post(thread, message="Too late").status_code == 409
    assert "This conversation is archived" in alices.page


@pytest.mark.parametrize("before", ["x", "-1", "0", str(2**63)])
def test_a_place_that_is_none_is_bad_input(alices: Visitor, thread: str, before: str) -> None:
    assert alices.get(f"{thread}?before={before}").status_code == 400


@pytest.mark.parametrize("after", ["x", "2026-01-01T00:00:00Z", f"~{NOBODY}", f"2026-01-01~{NOBODY}"])
def test_a_place_in_the_list_that_is_none_is_bad_input(alices: Visitor, after: str) -> None:
    assert alices.get(f"/?after={after}").status_code == 400
