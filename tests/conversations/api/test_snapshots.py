"""Snapshots by HTTP: taken, listed, looked at, gone back to."""

from uuid import UUID

from accounts.models import User
from conversations.services import messages
from tests.api import Api


def say(user: User, conversation: UUID, *texts: str) -> None:
    for text in texts:
        messages.send(user=user, conversation=conversation, text=text, cmid=text).result(10)


def test_one_is_taken_and_shown_in_clear(as_alice: Api, as_bob: Api, alice: User, conversation: UUID) -> None:
    say(alice, conversation, "Hello")
    taken = as_alice.post(f"conversations/{conversation}/snapshots/")
    assert taken.status == 201
    shown = taken.json
    assert (shown["conversation"], shown["seq"], shown["reason"]) == (str(conversation), 3, "manual")
    assert len(shown["checksum"]) == 64
    state = shown["state"]
    assert [(one["text"], one["author"]["name"]) for one in state["messages"]] == [("Hello", "Alice")]
    assert [(one["user"]["name"], one["role"]) for one in state["members"]] == [("Alice", "owner"), ("Bob", "editor")]
    assert (state["conversation"]["title"], state["messages_count"], state["truncated"]) == ("Plans", 1, False)

    again = as_bob.post(f"conversations/{conversation}/snapshots/")
    assert (again.status, again.json) == (201, shown), "at the same head it is the same"
    assert as_bob.get(f"conversations/{conversation}/snapshots/3/").json == shown


def test_with_the_same_key_it_is_taken_once(as_alice: Api, alice: User, conversation: UUID) -> None:
    here = f"conversations/{conversation}/snapshots/"
    first = as_alice.post(here, Idempotency_Key="k")
    say(alice, conversation, "Hello")
    again = as_alice.post(here, Idempotency_Key="k")
    assert (again.status, again.json) == (201, first.json)
    assert as_alice.post(here, Idempotency_Key="other").json["seq"] == first.json["seq"] + 1
    elsewhere = as_alice.post("conversations/", {}).json["id"]
    mismatch = as_alice.post(f"conversations/{elsewhere}/snapshots/", Idempotency_Key="k")
    assert (mismatch.status, mismatch.code) == (422, "idempotency_mismatch")


def test_they_are_listed_page_by_page(as_alice: Api, alice: User, conversation: UUID) -> None:
    for text in "abc":
        say(alice, conversation, text)
        as_alice.post(f"conversations/{conversation}/snapshots/")
    page = as_alice.get(f"conversations/{conversation}/snapshots/?limit=2").json
    assert [one["seq"] for one in page["results"]] == [5, 4]
    rest = as_alice.get(page["next"].split("/api/v1/")[1]).json
    assert ([one["seq"] for one in rest["results"]], rest["next"]) == ([3], None)


def test_the_state_after_any_event(as_bob: Api, alice: User, conversation: UUID) -> None:
    say(alice, conversation, "One", "Two")
    shown = as_bob.get(f"conversations/{conversation}/snapshots/3/").json
    assert (shown["reason"], shown["created_at"]) == ("replayed", None)
    assert [one["text"] for one in shown["state"]["messages"]] == ["One"]


def test_numbers_that_the_log_does_not_have(as_alice: Api, conversation: UUID) -> None:
    for seq in (0, 3, 10**30):
        path = f"conversations/{conversation}/snapshots/{seq}/"
        assert as_alice.get(path).code == "not_found"
        assert as_alice.post(f"{path}restore/").code == "not_found"
    assert as_alice.get(f"conversations/{conversation}/snapshots/x/").status == 404
    assert as_alice.get(f"conversations/{conversation}/snapshots/?cursor=x").code == "invalid"


def test_going_back(as_alice: Api, as_bob: Api, alice: User, conversation: UUID) -> None:
    say(alice, conversation, "One", "Two")
    done = as_alice.request(
        "POST", f"conversations/{conversation}/snapshots/3/restore/", {}, {"Idempotency-Key": "back"}
    )
    assert (done.status, done.json["id"], done.json["head"]) == (200, str(conversation), 5)
    again = as_alice.request(
        "POST", f"conversations/{conversation}/snapshots/3/restore/", {}, {"Idempotency-Key": "back"}
    )
    assert again.json["head"] == 5
    other = as_alice.request(
        "POST", f"conversations/{conversation}/snapshots/4/restore/", {}, {"Idempotency-Key": "back"}
    )
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    listed = as_bob.get(f"conversations/{conversation}/messages/").json
    assert [one["text"] for one in listed["results"]] == ["One"]
    assert as_bob.post(f"conversations/{conversation}/snapshots/4/restore/").code == "forbidden"


def test_strangers_learn_nothing(as_mallory: Api, conversation: UUID) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("GET", "1/"), ("POST", "1/restore/")):
        assert as_mallory.request(method, f"conversations/{conversation}/snapshots/{path}", {}, {}).code == "not_found"
