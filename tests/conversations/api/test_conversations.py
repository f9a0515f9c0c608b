"""/api/v1/conversations/"""

from uuid import UUID, uuid4

import pytest

from accounts.models import User
from conversations.models import Conversation
from tests.api import Api
from tests.conversations.support import at_once, check_numbers, texts


def test_a_conversation_from_beginning_to_end(as_alice: Api) -> None:
    made = as_alice.post("conversations/", {"title": "Plans", "metadata": {"n": 1}})
    assert made.status == 201
    assert (made.json["title"], made.json["role"], made.json["head"], made.json["metadata"]) == (
        "Plans", "owner", 1, {"n": 1},
    )  # fmt: skip
    path = f"conversations/{made.json['id']}/"
    assert as_alice.get(path).json == made.json

    changed = as_alice.patch(path, {"title": "New plans", "tags": ["x"]}, If_Match=made.headers["ETag"])
    assert (changed.status, changed.json["title"], changed.json["tags"], changed.json["version"]) == (
        200, "New plans", ["x"], 2,
    )  # fmt: skip
    assert changed.headers["ETag"] == '"2"'

    assert as_alice.delete(path).status == 204
    assert as_alice.get(path).json["status"] == "archived"
    assert as_alice.patch(path, {"status": "open"}).json["status"] == "open"


@pytest.mark.parametrize("message", ["Hello", {"text": "Hello"}, {"text": "Hello", "cmid": "1", "action": "chat"}])
def test_a_conversation_with_its_first_message(as_alice: Api, message: object) -> None:
    made = as_alice.post("conversations/", {"message": message}).json
    found = as_alice.get(f"conversations/{made['id']}/messages/").json["results"]
    assert [one["text"] for one in found] == ["Hello"]
    assert made["head"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {"title": 7},
        {"title": "x" * 201},
        {"assistant": "nobody"},
        {"metadata": "x"},
        {"metadata": {"a": 10**30}},
        {"metadata": {"a": "\0"}},
        {"members": {}},
        {"members": [{}]},
        {"members": [{"user": "x" * 200}]},
        {"members": [{"user": "x", "role": "owner"}]},
        {"message": ""},
        {"message": 1},
        {"message": {"cmid": "1"}},
        {"message": "a\0"},
        {"message": {"text": "x", "cmid": 7}},
        [],
        "x",
        None,
    ],
)
def test_bad_bodies(as_alice: Api, body: object) -> None:
    answer = as_alice.post("conversations/", body)
    assert answer.code in ("invalid", "not_found") if body is not None else answer.status in (201, 400)


def test_the_list_shows_ones_own_latest_first(as_alice: Api, as_mallory: Api) -> None:
    ids = [as_alice.post("conversations/", {"title": str(n)}).json["id"] for n in range(3)]
    as_alice.patch(f"conversations/{ids[0]}/", {"title": "changed"})

    listed = as_alice.get("conversations/").json

    assert [row["id"] for row in listed["results"]] == [ids[0], ids[2], ids[1]]
    assert (listed["next"], listed["previous"]) == (None, None)
    assert as_mallory.get("conversations/").json["results"] == []


def follow(api: Api, path: str) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    link: str | None = path
    while link:
        page = api.get(link).json
        found += [row["id"] for row in page["results"]]
        link = page["next"] and page["next"].split("/api/v1/")[1]
    return found


def test_pages_are_stable_while_rows_are_added(as_alice: Api) -> None:
    ids = [as_alice.post("conversations/", {}).json["id"] for _ in range(7)][::-1]
    first = as_alice.get("conversations/?limit=3").json
    for _ in range(5):
        as_alice.post("conversations/", {})

    rest = follow(as_alice, first["next"].split("/api/v1/")[1])

    assert [row["id"] for row in first["results"]] + rest == ids
    assert len(follow(as_alice, "conversations/?limit=2")) == 12


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=" + "a" * 5000,
        "status=x",
        "updated_since=x",
        "updated_since=9999-12-31T23:59:59-23:59",
    ],
)
def test_bad_queries(as_alice: Api, query: str) -> None:
    assert as_alice.get(f"conversations/?{query}").code == "invalid"


def test_a_time_may_have_an_offset_that_the_database_does_not_know(as_alice: Api) -> None:
    assert as_alice.get("conversations/?updated_since=2026-01-01T00:00:00-23:59").status == 200


@pytest.mark.parametrize("limit", ["0", "-1", "x", "9" * 50, ""])
def test_an_odd_limit_never_breaks(as_alice: Api, limit: str) -> None:
    assert as_alice.get(f"conversations/?limit={limit}").status in (200, 400)


def test_filters(as_alice: Api) -> None:
    one = as_alice.post("conversations/", {"assistant": "guide"}).json["id"]
    two = as_alice.post("conversations/", {}).json["id"]
    as_alice.patch(f"conversations/{two}/", {"tags": ["red", "blue"]})
    three = as_alice.post("conversations/", {}).json
    as_alice.delete(f"conversations/{three['id']}/")

    def ids(query: str) -> set[str]:
        return {row["id"] for row in as_alice.get(f"conversations/?{query}").json["results"]}

    assert ids("") == {one, two}
    assert ids("assistant=guide") == {one}
    assert ids("tag=red") == {two}
    assert ids("status=archived") == {three["id"]}
    assert ids("status=open") == {one, two}
    assert ids("updated_since=2999-01-01T00:00:00Z") == set()
    assert ids(f"updated_since={three['created_at']}") == ids("") & ids(f"updated_since={three['created_at']}")


def test_a_stale_change_is_told_the_version(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/"
    assert as_alice.patch(path, {"title": "One"}, If_Match='"1"').status == 200

    stale = as_alice.patch(path, {"title": "Two"}, If_Match='"1"')

    assert (stale.status, stale.code, stale.json["version"]) == (412, "stale", 2)
    assert as_alice.patch(path, {"title": "Two"}, If_Match='W/"2"').status == 200
    assert as_alice.patch(path, {"title": "Three"}, If_Match="*").status == 200
    assert as_alice.patch(path, {"title": "Four"}, If_Match='"' + "9" * 40 + '"').status == 412
    assert as_alice.patch(path, {"title": "Four"}, If_Match="nonsense").code == "invalid"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_strangers_and_nobody(as_mallory: Api, as_nobody: Api, conversation: UUID, method: str) -> None:
    path = f"conversations/{conversation}/"
    missing = as_mallory.request(method, f"conversations/{uuid4()}/", {"title": "x"}, {})
    refused = as_mallory.request(method, path, {"title": "x"}, {})

    assert (refused.status, refused.code) == (404, "not_found")
    assert {**refused.json, "request_id": 0} == {**missing.json, "request_id": 0}
    assert as_nobody.request(method, path, {"title": "x"}, {}).code == "unauthenticated"


# --- Idempotency-Key --------------------------------------------------------------------------------------


def test_creating_with_a_key(as_alice: Api, alice: User) -> None:
    first = as_alice.post("conversations/", {"title": "Plans"}, Idempotency_Key="k")
    again = as_alice.post("conversations/", {"title": "Plans"}, Idempotency_Key="k")
    other = as_alice.post("conversations/", {"title": "Else"}, Idempotency_Key="k")

    assert (first.status, again.status, again.json["id"]) == (201, 201, first.json["id"])
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    answers = at_once(50, lambda _: as_alice.post("conversations/", {"message": "Hi"}, Idempotency_Key="k2"))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert Conversation.objects.filter(owner=alice).count() == 2


def test_changing_with_a_key(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/"
    for _ in range(2):
        assert as_alice.patch(path, {"title": "New"}, Idempotency_Key="k", If_Match='"1"').status == 200
    assert as_alice.patch(path, {"title": "Newer"}, Idempotency_Key="k").code == "idempotency_mismatch"
    for _ in range(2):
        assert as_alice.delete(path, Idempotency_Key="k").status == 204
    assert check_numbers(conversation) == 4


def test_a_message_with_a_key(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/messages/"
    answers = at_once(50, lambda _: as_alice.post(path, {"text": "Hello"}, Idempotency_Key="k"))

    assert {answer.status for answer in answers} == {201}
    assert sorted(answer.json["dup"] for answer in answers) == [False] + [True] * 49
    assert len({answer.json["event"]["id"] for answer in answers}) == 1
    assert as_alice.post(path, {"text": "Other"}, Idempotency_Key="k").code == "idempotency_mismatch"
    assert texts(conversation) == ["Hello"]


def test_a_message_with_a_key_and_a_cmid(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/messages/"
    first = as_alice.post(path, {"text": "Hello", "cmid": "1"}, Idempotency_Key="k")

    assert as_alice.post(path, {"text": "Hello", "cmid": "1"}, Idempotency_Key="k").json == {**first.json, "dup": True}
    assert as_alice.post(path, {"text": "Hello", "cmid": "2"}, Idempotency_Key="k").code == "idempotency_mismatch"
    assert as_alice.post(path, {"text": "Other", "cmid": "1"}).code == "conflict"
    assert first.json["event"]["cmid"] == "1"


def test_a_member_with_a_key(as_alice: Api, mallory: User, bob: User, conversation: UUID) -> None:
    path = f"conversations/{conversation}/members/"
    answers = at_once(10, lambda _: as_alice.post(path, {"user": mallory.username}, Idempotency_Key="k"))

    assert {answer.status for answer in answers} == {201}
    assert as_alice.post(path, {"user": bob.username}, Idempotency_Key="k").code == "idempotency_mismatch"
    assert as_alice.post(path, {"user": bob.username}, Idempotency_Key="k2").code == "conflict"
    as_alice.delete(f"{path}{mallory.id}/")
    assert as_alice.post(path, {"user": mallory.username}, Idempotency_Key="k").code == "not_found"


@pytest.mark.parametrize("key", ["", "x" * 101, "a\x07b"])
def test_keys_that_are_none(as_alice: Api, key: str) -> None:
    assert as_alice.post("conversations/", {}, Idempotency_Key=key).code == "invalid"


def test_a_template_that_is_not_there(as_alice: Api) -> None:
    assert as_alice.post("conversations/", {"template": "support"}).code == "invalid"
