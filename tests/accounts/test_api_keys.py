"""API keys: made, shown once, used within their scopes, revoked."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.identities import Scope
from accounts.models import ApiKey, AuditEntry, User
from accounts.services import apikeys, credentials, tickets
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from tests.api import Answer, Api
from tests.conversations.support import at_once


def made(as_somebody: Api, *scopes: str) -> Any:
    answer = as_somebody.post("api-keys/", {"name": "Robot", **({"scopes": list(scopes)} if scopes else {})})
    assert answer.status == 201
    return answer.json


# --- Making -----------------------------------------------------------------------------------------------


def test_the_secret_is_shown_once_and_stored_nowhere(as_alice: Api, alice: User) -> None:
    key = made(as_alice)
    assert key["secret"].startswith(key["prefix"])
    assert (key["prefix"][:3], len(key["prefix"]), key["scopes"]) == ("ck_", 11, ["read", "write"])
    listed = as_alice.get("api-keys/").json["results"]
    assert listed == [{name: value for name, value in key.items() if name != "secret"}]
    row = ApiKey.objects.get(id=key["id"])
    assert key["secret"] not in str(vars(row))
    assert key["secret"].encode() not in bytes(row.digest)
    entry = AuditEntry.objects.get(action="api_key.created", target_id=key["id"])
    assert (entry.actor, key["secret"] in str(entry.detail)) == (alice, False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": 7},
        {"name": "a\0"},
        {"name": "R", "scopes": []},
        {"name": "R", "scopes": ["everything"]},
        {"name": "R", "scopes": "read"},
        {"name": "R", "scopes": ["read"] * 4},
    ],
)
def test_bad_keys(as_alice: Api, body: Any) -> None:
    assert as_alice.post("api-keys/", body).code == "invalid"
    assert as_alice.get("api-keys/").json["results"] == []


def test_only_so_many_also_at_once(as_alice: Api, settings: Any) -> None:
    settings.API_KEYS_PER_USER = 2
    answers = at_once(4, lambda _: as_alice.post("api-keys/", {"name": "Robot"}))
    assert sorted(answer.code or "" for answer in answers) == ["", "", "quota_exceeded", "quota_exceeded"]
    key = as_alice.get("api-keys/").json["results"][0]["id"]
    assert as_alice.delete(f"api-keys/{key}/").status == 204
    made(as_alice)


# --- Using ------------------------------------------------------------------------------------------------


def test_a_key_acts_as_its_owner(as_alice: Api, alice: User) -> None:
    robot = Api(made(as_alice)["secret"])
    assert robot.get("me/").json["id"] == str(alice.id)
    place = robot.post("conversations/", {"title": "By a robot"}).json["id"]
    assert as_alice.get(f"conversations/{place}/").json["owner"] == str(alice.id)


def test_use_is_noted_once_a_minute(as_alice: Api) -> None:
    key = made(as_alice)
    robot = Api(key["secret"])
    assert key["last_used"] is None

    def last_used() -> Any:
        assert robot.get("me/").status == 200
        return as_alice.get("api-keys/").json["results"][0]["last_used"]

    first = last_used()
    assert first
    assert last_used() == first
    ApiKey.objects.filter(id=key["id"]).update(last_used=clock.now() - timedelta(minutes=2))
    assert last_used() > first


def asked(robot: Api) -> dict[str, Answer]:
    return {
        "read": robot.get("conversations/"),
        "write": robot.post("conversations/", {"title": "New"}),
        "admin": robot.get("api-keys/"),
        "profile": robot.patch("me/", {"name": "Other"}),
        "logins": robot.get("logins/"),
    }


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        (["read"], {"read"}),
        (["write"], {"write"}),
        (["admin"], {"admin", "profile", "logins"}),
        (["read", "write"], {"read", "write"}),
        (["read", "write", "admin"], {"read", "write", "admin", "profile", "logins"}),
    ],
)
def test_scopes(as_alice: Api, scopes: list[str], may: set[str]) -> None:
    found = asked(Api(made(as_alice, *scopes)["secret"]))
    assert {name for name, answer in found.items() if answer.status < 400} == may
    assert {answer.code for answer in found.values() if answer.status >= 400} <= {"forbidden"}


def test_a_ticket_of_a_key_has_its_scopes_and_ends_with_it(as_alice: Api) -> None:
    key = made(as_alice, "read")
    robot = Api(key["secret"])
    first, second = (robot.post("auth/ticket/").json["ticket"] for _ in range(2))
    assert tickets.redeem(first).scopes == {Scope.READ}
    as_alice.delete(f"api-keys/{key['id']}/")
    with pytest.raises(Problem, match="unauthenticated"):
        tickets.redeem(second)


# --- Revoking ---------------------------------------------------------------------------------------------


def test_a_revoked_key_is_worth_nothing(as_alice: Api) -> None:
    key, other = made(as_alice), made(as_alice)
    assert as_alice.delete(f"api-keys/{key['id']}/").status == 204
    assert Api(key["secret"]).get("me/").code == "unauthenticated"
    assert Api(other["secret"]).get("me/").status == 200
    assert as_alice.delete(f"api-keys/{key['id']}/").code == "not_found"
    assert [one["id"] for one in as_alice.get("api-keys/").json["results"]] == [other["id"]]


def test_keys_of_others_are_not_there(as_alice: Api, as_mallory: Api) -> None:
    key = made(as_alice)
    assert as_mallory.delete(f"api-keys/{key['id']}/").code == "not_found"
    assert as_mallory.delete(f"api-keys/{new_id()}/").code == "not_found"
    assert as_mallory.get("api-keys/").json["results"] == []
    assert Api(key["secret"]).get("me/").status == 200


@pytest.mark.parametrize("secret", ["ck_", "ck_nonsense", "ck_" + "x" * 43, "CK_x"])
def test_secrets_that_are_none(secret: str) -> None:
    assert Api(secret).get("me/").code == "unauthenticated"


def test_keys_end_with_their_user_and_not_with_a_password(as_alice: Api, alice: User) -> None:
    """A program goes on when its owner chooses another password; who is shut out is shut out."""
    key = apikeys.identify(made(as_alice)["secret"])
    User.objects.filter(id=alice.id).update(auth_version=7)
    assert credentials.living([key.login]) == {key.login}
    User.objects.filter(id=alice.id).update(is_active=False)
    assert credentials.living([key.login]) == set()


# --- Logins -----------------------------------------------------------------------------------------------


def test_where_one_is_logged_in_and_logging_out_there(as_alice: Api, alice: User, as_mallory: Api) -> None:
    pair = Api(None).post("auth/token/", {"username": alice.username, "password": "correct horse battery 9"}).json
    there = Api(pair["access"])
    logins = as_alice.get("logins/").json["results"]
    assert [one["current"] for one in logins] == [False, True]
    assert as_mallory.delete(f"logins/{logins[0]['id']}/").code == "not_found"
    assert as_alice.get("logins/?limit=1").json["next"]

    assert as_alice.delete(f"logins/{logins[0]['id']}/").status == 204
    assert there.get("me/").code == "unauthenticated"
    assert as_alice.delete(f"logins/{logins[0]['id']}/").code == "not_found"
