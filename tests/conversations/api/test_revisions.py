"""/api/v1/conversations/{id}/messages/{message}/ and what is below it."""

from uuid import UUID, uuid4

import pytest

from accounts.models import User
from conversations.models import Message
from conversations.services import conversations, messages
from tests.api import Api
from tests.conversations.support import answer, frames, say


@pytest.fixture
def path(alice: User, conversation: UUID) -> str:
    """Of what Alice said in her conversation; its seq is 3."""
    return f"conversations/{conversation}/messages/{say(alice, conversation, 'Hello')}/"


@pytest.fixture
def answer_path(alice: User) -> str:
    """Of what the guide has answered to Alice."""
    made = conversations.create(user=alice, assistant="guide", message="Hello").result(30).conversation.id
    return f"conversations/{made}/messages/{answer(made, 'One')}/"


def test_an_edit(as_alice: Api, as_bob: Api, path: str) -> None:
    before = as_alice.get(path)
    assert (before.headers["ETag"], before.json["changed_seq"]) == ('"3"', 3)

    edited = as_alice.patch(path, {"text": "**New**"}, If_Match=before.headers["ETag"])

    assert (edited.status, edited.headers["ETag"]) == (200, '"4"')
    assert (edited.json["text"], edited.json["seq"]) == ("**New**", 3)
    assert "<strong>New</strong>" in edited.json["html"]
    assert as_bob.get(path).json == edited.json
    versions = as_bob.get(f"{path}versions/").json["results"]
    assert [(one["text"], one["selected"]) for one in versions] == [("Hello", False), ("**New**", True)]


def test_a_stale_tab_is_shown_the_current_version(as_alice: Api, path: str) -> None:
    as_alice.patch(path, {"text": "First"})

    for headers, body in (({"If_Match": '"3"'}, {}), ({}, {"base_seq": 3}), ({"If_Match": '"99"'}, {})):
        late = as_alice.patch(path, {"text": "Second", **body}, **headers)
        assert (late.status, late.code, late.json["version"]) == (412, "stale", 4)
        assert late.json["message"] == as_alice.get(path).json
    assert as_alice.delete(path, If_Match='"3"').code == "stale"
    assert as_alice.patch(path, {"text": "Second", "base_seq": 4}).json["text"] == "Second"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"text": " "}, "invalid"),
        ({"text": 7}, "invalid"),
        ({"text": "x" * 32001}, "too_large"),
        ({"text": "x", "base_seq": -1}, "invalid"),
        ({"text": "x", "base_seq": "three"}, "invalid"),
    ],
)
def test_bad_edits(as_alice: Api, path: str, body: object, code: str) -> None:
    assert as_alice.patch(path, body).code == code
    assert as_alice.get(path).json["text"] == "Hello"


def test_if_match_that_is_none(as_alice: Api, path: str) -> None:
    assert as_alice.patch(path, {"text": "x"}, If_Match="yesterday").code == "invalid"


def test_deleting(as_alice: Api, as_bob: Api, conversation: UUID, path: str) -> None:
    assert as_bob.delete(path).code == "forbidden"
    assert (as_alice.delete(path).status, as_alice.delete(path).status) == (204, 204)

    listed = as_bob.get(f"conversations/{conversation}/messages/").json["results"]
    assert [(one["status"], one["text"]) for one in listed] == [("deleted", "")]
    assert as_bob.get(f"{path}versions/").json["results"] == []
    assert as_alice.patch(path, {"text": "x"}).code == "conflict"


def test_pinning(as_bob: Api, path: str) -> None:
    assert as_bob.request("PUT", f"{path}pin/", {"on": True}, {}).json["pinned"] is True
    assert as_bob.request("PUT", f"{path}pin/", {"on": False}, {}).json["pinned"] is False
    for body in ({}, {"on": "yes"}, {"on": 1}, {"on": None}):
        assert as_bob.request("PUT", f"{path}pin/", body, {}).code == "invalid"


def test_another_answer(as_alice: Api, answer_path: str) -> None:
    made = as_alice.post(f"{answer_path}regenerate/")

    assert (made.status, made.json["dup"], made.json["event"]["type"]) == (201, False, "run:queue")
    assert (made.json["message"]["text"], made.json["run"]["status"]) == ("Hello", "queued")
    conversation = UUID(made.json["run"]["conversation"])
    second = answer(conversation, "Two")
    listing = f"conversations/{conversation}/messages/"
    assert [one["text"] for one in as_alice.get(listing).json["results"]] == ["Hello", "Two"]
    everything = as_alice.get(f"{listing}?versions=all").json["results"]
    assert [(one["text"], one["selected"]) for one in everything] == [("Hello", True), ("One", False), ("Two", True)]
    for method in ("PUT", "POST"):
        assert as_alice.request(method, f"{answer_path}select/", None, {}).json["selected"] is True
    assert as_alice.get(f"{listing}{second}/").json["selected"] is False
    assert as_alice.get(f"{listing}?versions=some").code == "invalid"


def test_regenerate_refuses(as_alice: Api, answer_path: str, path: str) -> None:
    assert as_alice.post(f"{answer_path}regenerate/", {"assistant": "nobody"}).code == "invalid"
    assert as_alice.post(f"{answer_path}regenerate/", {"on_busy": "dance"}).code == "invalid"
    assert as_alice.post(f"{path}regenerate/").code == "invalid"


def test_feedback(as_alice: Api, as_bob: Api, conversation: UUID, path: str) -> None:
    given = as_bob.request("PUT", f"{path}feedback/", {"rating": "up", "comment": "Good"}, {})
    assert given.json == {"rating": "up", "solved": False, "copied": False, "comment": "Good"}
    assert as_bob.request("PUT", f"{path}feedback/", {"solved": True}, {}).json == {**given.json, "solved": True}
    assert as_bob.get(path).json["feedback"]["solved"] is True
    assert as_alice.get(path).json["feedback"]["solved"] is False
    assert as_alice.get(f"conversations/{conversation}/").json["feedback"] == {
        "up": 1, "down": 0, "solved": 1, "copied": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"rating": "sideways"}, "invalid"),
        ({"rating": 1}, "invalid"),
        ({"solved": "yes"}, "invalid"),
        ({"comment": ["x"]}, "invalid"),
        ({"comment": "x" * 2001}, "too_large"),
    ],
)
def test_bad_feedback(as_alice: Api, path: str, body: object, code: str) -> None:
    assert as_alice.request("PUT", f"{path}feedback/", body, {}).code == code


ACTS = [
    ("PATCH", "", {"text": "New"}, {"text": "Other"}),
    ("PUT", "pin/", {"on": True}, {"on": False}),
    ("PUT", "feedback/", {"rating": "up"}, {"rating": "down"}),
    ("POST", "regenerate/", {"assistant": "guide"}, {}),
]


@pytest.mark.parametrize(("method", "route", "body", "other"), ACTS)
def test_with_a_key(
    as_alice: Api, conversation: UUID, path: str, method: str, route: str, body: object, other: object
) -> None:
    key = {"Idempotency_Key": "k" * 100}
    first = as_alice.request(method, path + route, body, key)
    again = as_alice.request(method, path + route, body, key)

    assert first.status == again.status < 300
    assert len(frames(conversation)) == 4
    assert as_alice.request(method, path + route, other, key).code == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "versions/"), ("PUT", "pin/"), ("PUT", "select/"),
        ("POST", "regenerate/"), ("PUT", "feedback/"),
    ],
)  # fmt: skip
def test_messages_that_are_not_here(
    as_alice: Api, as_mallory: Api, conversation: UUID, path: str, method: str, route: str
) -> None:
    body = {"text": "x", "on": True, "rating": "up"}
    elsewhere = f"conversations/{conversation}/messages/{uuid4()}/{route}"

    assert as_alice.request(method, elsewhere, body, {}).code == "not_found"
    assert as_mallory.request(method, path + route, body, {}).code == "not_found"


def test_a_message_of_another_conversation(as_alice: Api, alice: User, path: str) -> None:
    made = conversations.create(user=alice, message="Elsewhere").result(30).conversation.id
    other = Message.objects.get(conversation=made).id

    assert as_alice.patch(f"{path.split('messages/')[0]}messages/{other}/", {"text": "x"}).code == "not_found"


def test_waiting_for_another_answer(as_alice: Api, answer_path: str) -> None:
    made = as_alice.post(f"{answer_path}regenerate/?wait=1")
    assert made.json["run"]["status"] == "queued"


def test_a_key_with_and_without_a_cmid(as_alice: Api, conversation: UUID) -> None:
    """The same key is one request, whether or not a cmid comes with it."""
    path = f"conversations/{conversation}/{messages.SEND_ROUTE.split()[1]}/"

    assert as_alice.post(path, {"text": "One", "cmid": "1"}, Idempotency_Key="a").status == 201
    assert as_alice.post(path, {"text": "One"}, Idempotency_Key="a").code == "idempotency_mismatch"
    assert as_alice.post(path, {"text": "Two"}, Idempotency_Key="b").status == 201
    assert as_alice.post(path, {"text": "Two", "cmid": "2"}, Idempotency_Key="b").code == "idempotency_mismatch"
    assert as_alice.post(path, {"text": "Two"}, Idempotency_Key="b").json["dup"] is True
    assert len(frames(conversation)) == 4
