"""/api/v1/conversations/{id}/members/"""

from uuid import UUID, uuid4

import pytest

from accounts.models import User
from conversations.models import Member
from tests.api import Api


def test_a_membership_from_beginning_to_end(as_alice: Api, alice: User, bob: User, conversation: UUID) -> None:
    path = f"conversations/{conversation}/members/"
    listed = as_alice.get(path).json["results"]
    assert [(row["user"]["name"], row["role"]) for row in listed] == [("Alice", "owner"), ("Bob", "editor")]

    assert as_alice.patch(f"{path}{bob.id}/", {"role": "viewer"}).json["role"] == "viewer"
    assert as_alice.delete(f"{path}{bob.id}/").status == 204
    added = as_alice.post(path, {"user": bob.username, "role": "agent"})
    assert (added.status, added.json["user"], added.json["role"]) == (201, {"id": str(bob.id), "name": "Bob"}, "agent")
    assert as_alice.get(f"conversations/{conversation}/").json["members_count"] == 2


def test_members_come_in_pages(as_alice: Api, conversation: UUID) -> None:
    first = as_alice.get(f"conversations/{conversation}/members/?limit=1").json
    second = as_alice.get(first["next"].split("/api/v1/")[1]).json

    assert [row["user"]["name"] for row in first["results"] + second["results"]] == ["Alice", "Bob"]
    assert second["next"] is None


def test_bob_may_leave(as_bob: Api, bob: User, conversation: UUID) -> None:
    assert as_bob.delete(f"conversations/{conversation}/members/{bob.id}/").status == 204
    assert as_bob.get(f"conversations/{conversation}/").code == "not_found"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"user": ""}, "invalid"),
        ({"user": "no-such-person"}, "not_found"),
        ({"user": str(uuid4())}, "not_found"),
        ({"user": "a\0"}, "invalid"),
        ({"user": ["x"]}, "invalid"),
        ({"user": "x", "role": "owner"}, "invalid"),
        ({"user": "x", "role": 7}, "invalid"),
        ([], "invalid"),
    ],
)
def test_bad_bodies(as_alice: Api, conversation: UUID, body: object, code: str) -> None:
    assert as_alice.post(f"conversations/{conversation}/members/", body).code == code


def test_the_owner_can_neither_leave_nor_change(as_alice: Api, alice: User, conversation: UUID) -> None:
    path = f"conversations/{conversation}/members/{alice.id}/"
    assert as_alice.delete(path).code == "forbidden"
    assert as_alice.patch(path, {"role": "viewer"}).code == "forbidden"


def test_who_is_no_member_cannot_be_changed(as_alice: Api, mallory: User, conversation: UUID) -> None:
    path = f"conversations/{conversation}/members/{mallory.id}/"
    assert as_alice.patch(path, {"role": "viewer"}).code == "not_found"
    assert as_alice.delete(path).code == "not_found"


@pytest.mark.parametrize("role", ["editor", "agent", "viewer"])
def test_only_the_owner_manages(as_bob: Api, alice: User, bob: User, conversation: UUID, role: str) -> None:
    Member.objects.filter(conversation=conversation, user=bob).update(role=role)
    path = f"conversations/{conversation}/members/"
    assert as_bob.get(path).status == 200
    assert as_bob.post(path, {"user": "x"}).code == "forbidden"
    assert as_bob.patch(f"{path}{bob.id}/", {"role": "agent"}).code == "forbidden"
    assert as_bob.delete(f"{path}{alice.id}/").code == "forbidden"


def test_strangers(as_mallory: Api, bob: User, conversation: UUID) -> None:
    path = f"conversations/{conversation}/members/"
    answers = [
        as_mallory.get(path),
        as_mallory.post(path, {"user": "x"}),
        as_mallory.patch(f"{path}{bob.id}/", {"role": "viewer"}),
        as_mallory.delete(f"{path}{bob.id}/"),
    ]
    assert [answer.code for answer in answers] == ["not_found"] * 4
