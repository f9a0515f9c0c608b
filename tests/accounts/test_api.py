"""/api/v1/auth/ and /api/v1/me/: how one becomes somebody, and stays it."""

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from pytest_django import Settings
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import AuditEntry, Ticket, User
from accounts.services import tickets
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from tests.api import Answer, Api
from tests.conftest import ticket_of
from tests.conversations.support import at_once
from tests.leaks import PASSWORD


def register(username: str, password: str = PASSWORD, **more: Any) -> Answer:
    return Api(None).post("auth/register/", {"username": username, "password": password, **more})


def fresh() -> str:
    return f"carol-{new_id().hex[-12:]}"


def log_in(user: User) -> dict[str, str]:
    answer = Api(None).post("auth/token/", {"username": user.username, "password": PASSWORD})
    assert answer.status == 200
    return answer.json


# --- Register ---------------------------------------------------------------------------------------------


def test_somebody_new() -> None:
    name = fresh()
    answer = register(name, email="carol@example.org")

    assert answer.status == 201
    assert (answer.json["user"]["username"], answer.json["user"]["email"]) == (name, "carol@example.org")
    assert Api(answer.json["access"]).get("me/").json == answer.json["user"]
    assert AuditEntry.objects.filter(action="user.registered", target_id=answer.json["user"]["id"]).exists()


def test_a_name_is_taken_once(alice: User) -> None:
    for name in (alice.username, alice.username.upper()):
        answer = register(name)
        assert (answer.code, list(answer.json["errors"])) == ("invalid", ["username"])
    name = fresh()
    spelt = (name, name.upper())
    assert sorted(answer.status for answer in at_once(8, lambda n: register(spelt[n % 2]))) == [201] + [400] * 7


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\nb", "a\0b", "<script>", "x" * 151, "é💥", "/", None, 7, ["x"], {}]
)
def test_odd_names(name: Any) -> None:
    assert register(name).code == "invalid"


@pytest.mark.parametrize("password", ["", "short", "password", "1234567890123", None, 7, "x" * 1025])
def test_weak_passwords(password: Any) -> None:
    answer = register(fresh(), password)
    assert (answer.code, list(answer.json["errors"])) == ("invalid", ["password"])


def test_a_password_like_the_name() -> None:
    name = fresh()
    assert register(name, name).code == "invalid"


@pytest.mark.parametrize("email", ["nonsense", "a@b", "a@b\n", 7, "x" * 300 + "@example.org"])
def test_odd_addresses(email: Any) -> None:
    assert register(fresh(), email=email).code == "invalid"


def test_closed(settings: Settings) -> None:
    settings.REGISTRATION_OPEN = False
    answer = register(fresh())
    assert (answer.status, answer.code) == (403, "forbidden")


# --- Tokens -----------------------------------------------------------------------------------------------


def test_log_in(alice: User) -> None:
    assert Api(log_in(alice)["access"]).get("me/").json["username"] == alice.username
    for name, password in ((alice.username, "wrong"), ("nobody", PASSWORD), (alice.username, ""), ("", PASSWORD)):
        assert Api(None).post("auth/token/", {"username": name, "password": password}).status in (400, 401)


def test_a_refresh_token_works_once(alice: User, as_nobody: Api) -> None:
    first = log_in(alice)
    second = as_nobody.post("auth/token/refresh/", {"refresh": first["refresh"]})
    assert second.status == 200
    assert Api(second.json["access"]).get("me/").status == 200

    assert as_nobody.post("auth/token/refresh/", {"refresh": first["refresh"]}).code == "unauthenticated"


def test_a_refresh_token_used_twice_ends_the_whole_login(alice: User, as_nobody: Api) -> None:
    """One of the two who have it should not; nobody can tell which."""
    first, other = log_in(alice), log_in(alice)
    second = as_nobody.post("auth/token/refresh/", {"refresh": first["refresh"]}).json
    as_nobody.post("auth/token/refresh/", {"refresh": first["refresh"]})

    assert as_nobody.post("auth/token/refresh/", {"refresh": second["refresh"]}).code == "unauthenticated"
    for access in (first["access"], second["access"]):
        assert Api(access).get("me/").code == "unauthenticated"
    assert Api(other["access"]).get("me/").status == 200, "another login of hers goes on"
    assert AuditEntry.objects.filter(actor=alice, action="login.ended", detail__reason="reused").count() == 1


def test_of_many_who_refresh_at_once_one_is_served(alice: User, as_nobody: Api) -> None:
    refresh = log_in(alice)["refresh"]
    answers = at_once(8, lambda _: as_nobody.post("auth/token/refresh/", {"refresh": refresh}))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 7


def test_revoke_ends_a_login(alice: User, as_nobody: Api) -> None:
    refresh = log_in(alice)["refresh"]
    other = log_in(alice)
    access = as_nobody.post("auth/token/refresh/", {"refresh": refresh}).json
    refresh = access["refresh"]
    assert as_nobody.post("auth/token/revoke/", {"refresh": refresh}).status == 204
    assert Api(access["access"]).get("me/").code == "unauthenticated"
    assert Api(other["access"]).get("me/").status == 200
    assert as_nobody.post("auth/token/refresh/", {"refresh": refresh}).code == "unauthenticated"
    assert as_nobody.post("auth/token/revoke/", {"refresh": refresh}).code == "unauthenticated"


@pytest.mark.parametrize("path", ["auth/token/refresh/", "auth/token/revoke/"])
@pytest.mark.parametrize("refresh", ["", "x", "a.b.c", None, 7, "x" * 5000])
def test_refresh_tokens_that_are_none(as_nobody: Api, path: str, refresh: Any) -> None:
    assert as_nobody.post(path, {"refresh": refresh}).status in (400, 401)


def test_tokens_do_not_stand_for_each_other(alice: User, as_nobody: Api) -> None:
    pair = log_in(alice)
    assert as_nobody.post("auth/token/refresh/", {"refresh": pair["access"]}).code == "unauthenticated"
    assert Api(pair["refresh"]).get("me/").code == "unauthenticated"


def test_an_expired_token_is_told_apart(alice: User) -> None:
    token = AccessToken.for_user(alice)
    token.set_exp(lifetime=-timedelta(seconds=60))
    answer = Api(str(token)).get("me/")
    assert (answer.status, answer.code) == (401, "token_expired")


@pytest.mark.parametrize("change", [{"is_active": False}, {"auth_version": 2}])
def test_a_login_ends_with_its_user(alice: User, change: dict[str, Any]) -> None:
    pair = log_in(alice)
    User.objects.filter(id=alice.id).update(**change)
    assert Api(pair["access"]).get("me/").code == "unauthenticated"
    assert Api(None).post("auth/token/refresh/", {"refresh": pair["refresh"]}).code == "unauthenticated"


# --- Tickets ----------------------------------------------------------------------------------------------


def test_a_ticket_opens_one_door(alice: User, as_alice: Api, as_nobody: Api) -> None:
    answer = as_alice.post("auth/ticket/")
    assert (answer.status, answer.json["expires_in"]) == (200, 30)
    assert tickets.redeem(answer.json["ticket"]).user == alice
    with pytest.raises(Problem, match="unauthenticated"):
        tickets.redeem(answer.json["ticket"])
    assert as_nobody.post("auth/ticket/").code == "unauthenticated"


def test_a_ticket_is_redeemed_by_one_of_many(alice: User) -> None:
    ticket = ticket_of(alice)

    def redeem(_: int) -> bool:
        try:
            return tickets.redeem(ticket).user == alice
        except Problem:
            return False

    assert sum(at_once(8, redeem)) == 1


def test_a_ticket_expires(alice: User) -> None:
    ticket = ticket_of(alice)
    Ticket.objects.filter(user=alice).update(expires_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(Problem, match="unauthenticated"):
        tickets.redeem(ticket)
    ticket_of(alice)
    assert Ticket.objects.filter(user=alice).count() == 1


def test_only_the_hash_of_a_ticket_is_stored(alice: User) -> None:
    ticket = ticket_of(alice)
    assert ticket.encode() not in bytes(Ticket.objects.get(user=alice).digest)


# --- Me ---------------------------------------------------------------------------------------------------


def test_a_profile_is_changed(as_alice: Api) -> None:
    before = as_alice.get("me/")
    changes = {"name": "Alice L.", "email": "a@example.org", "language": "zh-hans", "preferences": {"theme": "dark"}}
    after = as_alice.patch("me/", changes, If_Match=before.headers["ETag"])

    changed = {**changes, "version": before.json["version"] + 1, "last_active": ANY}
    assert after.json == {**before.json, **changed}
    assert after.headers["ETag"] == f'"{after.json["version"]}"'
    assert as_alice.get("me/").json == after.json


def test_a_change_with_a_key_is_made_once(as_alice: Api, as_bob: Api) -> None:
    key = {"Idempotency_Key": "k"}
    first = as_alice.patch("me/", {"name": "Ada"}, **key)
    as_alice.patch("me/", {"name": "Ada Lovelace"})

    again = as_alice.patch("me/", {"name": "Ada"}, **key)
    assert (again.status, again.json["name"], again.json["version"]) == (200, "Ada Lovelace", first.json["version"] + 1)
    assert as_alice.patch("me/", {"name": "Other"}, **key).code == "idempotency_mismatch"
    assert as_bob.patch("me/", {"name": "Bobby"}, **key).json["name"] == "Bobby"
    assert as_alice.patch("me/", {"version": 1, "name": "Stale"}, Idempotency_Key="l").code == "stale"
    assert as_alice.patch("me/", {"name": "x"}, Idempotency_Key="").code == "invalid"


def test_of_two_changes_of_one_version_one_wins(as_alice: Api) -> None:
    version = as_alice.get("me/").json["version"]
    answers = at_once(2, lambda n: as_alice.patch("me/", {"name": f"Alice {n}"}, If_Match=f'"{version}"'))
    answers.append(as_alice.patch("me/", {"name": "Late", "version": version}))

    assert sorted(answer.status for answer in answers) == [200, 412, 412]
    assert {answer.json["version"] for answer in answers if answer.status == 412} == {version + 1}
    assert {answer.code for answer in answers} == {None, "stale"}
    assert as_alice.patch("me/", {"name": "Never"}, If_Match='"0"').code == "stale"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "x" * 151}, "invalid"),
        ({"name": 7}, "invalid"),
        ({"name": "a\0"}, "invalid"),
        ({"email": "nonsense"}, "invalid"),
        ({"language": "x" * 17}, "invalid"),
        ({"preferences": []}, "invalid"),
        ({"preferences": None}, "invalid"),
        ({"preferences": {"a": "\0"}}, "invalid"),
        ({"preferences": {"a": 10**30}}, "invalid"),
        ({"preferences": {"a": "x" * 20000}}, "too_large"),
        ({"version": 0}, "invalid"),
        ({"version": 10**30}, "stale"),
        ([], "invalid"),
    ],
)
def test_bad_profiles(as_alice: Api, changes: Any, code: str) -> None:
    before = as_alice.get("me/").json
    assert as_alice.patch("me/", changes).code == code
    assert as_alice.get("me/").json == {**before, "last_active": ANY}


def test_what_is_not_ones_own_to_change(as_alice: Api, alice: User) -> None:
    as_alice.patch("me/", {"is_staff": True, "is_superuser": True, "username": "root", "auth_version": 9, "name": "A"})
    after = User.objects.get(id=alice.id)
    assert (after.is_staff, after.is_superuser, after.username, after.auth_version) == (False, False, alice.username, 1)
