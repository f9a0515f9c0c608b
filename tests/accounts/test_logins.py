"""Logins: what they are, what ends them, and what ends with them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from accounts.models import AuditEntry, Login, OutsideAccount, User
from accounts.origins import Origin
from accounts.services import apikeys, closing, credentials, logins, tickets, tokens
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from tests.api import Api
from tests.conftest import identity_of, ticket_of
from tests.leaks import PASSWORD

NEW_PASSWORD = "another pass phrase 12"


def browser(user: User) -> Client:
    """A browser that logged in by the page, from a network of its own."""
    digits = new_id().hex
    client = Client(REMOTE_ADDR=f"fd00:{digits[-12:-8]}:{digits[-8:-4]}::1", HTTP_USER_AGENT="Browser/1")
    form = {"login": user.username, "password": PASSWORD}
    assert client.post("/accounts/login/", form).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return bool(client.get("/").status_code == 200)


def latest(user: User) -> Login:
    return Login.objects.filter(user=user).latest("created_at")


def lives(access: str) -> bool:
    return Api(access).get("me/").status == 200


# --- Beginning --------------------------------------------------------------------------------------------


def test_a_login_says_from_where_it_is(alice: User) -> None:
    Client().post(
        "/api/v1/auth/token/",
        {"username": alice.username, "password": PASSWORD},
        "application/json",
        HTTP_USER_AGENT="Program/2" + "x" * 300,
        REMOTE_ADDR="203.0.113.77",
    )
    login = latest(alice)
    assert (login.kind, login.address, login.user_agent[:9]) == ("token", "203.0.113.0", "Program/2")
    assert len(login.user_agent) == 200
    assert AuditEntry.objects.get(action="login.begun", target_id=str(login.id)).actor == alice


def test_a_browser_has_a_login_until_it_logs_out(alice: User) -> None:
    client = browser(alice)
    login = latest(alice)
    assert (login.kind, login.user_agent, is_in(client)) == ("browser", "Browser/1", True)

    client.post("/accounts/logout/")
    login.refresh_from_db()
    assert (login.reason, is_in(client)) == ("logout", False)


def test_a_cookie_that_was_copied_is_worth_nothing_after_the_login(alice: User) -> None:
    client, copy = browser(alice), Client()
    copy.cookies.update(client.cookies)
    assert is_in(copy)
    logins.end(login=latest(alice).id, reason=Login.Reason.STAFF)
    assert (is_in(client), is_in(copy)) == (False, False)
    assert copy.get("/api/v1/me/").status_code == 401


def test_a_session_without_a_login_is_nobodys(alice: User) -> None:
    """As those from before there were logins."""
    client = browser(alice)
    session = client.session
    del session["login"]
    session.save()
    assert not is_in(client)


# --- Ending -----------------------------------------------------------------------------------------------


def test_a_new_password_on_the_page_ends_all_logins_but_this(alice: User) -> None:
    here, elsewhere, access = browser(alice), browser(alice), tokens.issue(alice)["access"]
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert (is_in(here), is_in(elsewhere), lives(access)) == (True, False, False)
    assert AuditEntry.objects.filter(actor=alice, action="login.ended", detail__reason="password").count() == 3
    assert tokens.log_in(username=alice.username, password=NEW_PASSWORD)


def test_a_new_password_in_whatever_way_ends_the_logins(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """`manage.py changepassword` knows nothing of ours."""
    access = tokens.issue(alice)["access"]
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: NEW_PASSWORD)
    call_command("changepassword", alice.username, verbosity=0)
    assert not lives(access)


def test_a_stronger_hash_of_the_same_password_ends_nothing(alice: User, settings: Any) -> None:
    access = tokens.issue(alice)["access"]
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    assert tokens.log_in(username=alice.username, password=PASSWORD)
    assert User.objects.get(id=alice.id).password.startswith("pbkdf2")
    assert lives(access)


def test_who_logged_in_while_all_logins_ended_is_out_too(alice: User) -> None:
    """With what was right before: the old password was checked, then it was changed, then the login was stored."""
    checked = get_user_model().objects.get(id=alice.id)
    logins.end_all(user=alice, reason=Login.Reason.PASSWORD)
    assert not lives(tokens.issue(checked)["access"])
    assert lives(tokens.issue(alice)["access"])


def test_a_user_who_is_deleted(alice: User, mallory: User) -> None:
    identity = identity_of(mallory)
    assert credentials.living([identity.login]) == {identity.login}
    mallory.delete()
    assert credentials.living([identity.login]) == set()


def test_a_login_is_over_after_its_time(alice: User) -> None:
    pair = tokens.issue(alice)
    ticket = ticket_of(alice)
    Login.objects.filter(user=alice).update(expires_at=clock.now() - timedelta(seconds=1))
    assert not lives(pair["access"])
    with pytest.raises(Problem, match="unauthenticated"):
        tickets.redeem(ticket)
    with pytest.raises(Problem, match="unauthenticated"):
        tokens.renew(pair["refresh"])


def test_logins_that_are_over_for_long_are_forgotten(alice: User) -> None:
    old = latest_of(alice)
    Login.objects.filter(id=old).update(expires_at=clock.now() - timedelta(days=31))
    tokens.issue(alice)
    assert not Login.objects.filter(id=old).exists()


def latest_of(user: User) -> Any:
    return identity_of(user).login


def test_a_ticket_ends_with_the_login_that_asked(alice: User) -> None:
    identity = identity_of(alice)
    ticket = tickets.issue(identity)
    logins.end(login=identity.login, reason=Login.Reason.LOGOUT)
    with pytest.raises(Problem, match="unauthenticated"):
        tickets.redeem(ticket)


# --- Use --------------------------------------------------------------------------------------------------


def test_use_is_noted_once_a_minute(alice: User) -> None:
    access = tokens.issue(alice)["access"]
    login = latest(alice)
    assert lives(access)
    assert latest(alice).last_used == login.last_used

    long_ago = clock.now() - timedelta(hours=1)
    Login.objects.filter(id=login.id).update(last_used=long_ago)
    assert lives(access)
    assert latest(alice).last_used > long_ago


def test_refreshing_does_not_make_a_login_longer(alice: User) -> None:
    pair = tokens.issue(alice)
    ends = latest(alice).expires_at
    again = tokens.renew(pair["refresh"])
    assert latest(alice).expires_at == ends
    assert tokens.renew(again["refresh"])


def test_an_account_that_is_closed_leaves_nothing_to_come_in_by(alice: User) -> None:
    access = tokens.issue(alice, Origin("Browser/1", "203.0.113.0"))["access"]
    key, secret = apikeys.create(user=alice, name="Robot", scopes=["read"])
    OutsideAccount.objects.create(issuer="https://login.example", subject=str(alice.id), user=alice)
    closing.close(user=alice)
    assert not lives(access)
    assert not lives(secret)
    assert credentials.living([key.id]) == set()
    assert not OutsideAccount.objects.filter(user=alice).exists()
    assert (latest(alice).user_agent, latest(alice).address) == ("", "")
