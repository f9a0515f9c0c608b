"""The page of API keys and log-ins."""

import re

import pytest
from django.test import Client

from accounts.models import ApiKey, Login, User
from accounts.services import apikeys
from chatproject.lib.ids import new_id
from tests.api import Api
from tests.conftest import identity_of

PAGE = "/accounts/api-keys/"


@pytest.fixture
def browser(alice: User) -> Client:
    made = Client()
    made.force_login(alice)
    return made


def page(browser: Client) -> str:
    return browser.get(PAGE).content.decode()


def test_a_key_is_made_and_its_secret_is_shown_once(browser: Client, alice: User) -> None:
    answer = browser.post(PAGE, {"name": "My <robot>", "scopes": ["read"]})
    found = re.search(r'value="(ck_[\w-]+)"', answer.content.decode())
    assert found
    assert "no-store" in answer.headers["Cache-Control"]
    assert Api(found[1]).get("me/").json["id"] == str(alice.id)
    assert found[1] not in page(browser)
    assert "My &lt;robot&gt;" in page(browser)


@pytest.mark.parametrize("form", [{}, {"name": "Robot"}, {"scopes": ["read"]}, {"name": "R", "scopes": ["all"]}])
def test_what_is_wrong_is_said(browser: Client, alice: User, form: dict[str, object]) -> None:
    answer = browser.post(PAGE, form)
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (400, True)
    assert not ApiKey.objects.filter(user=alice).exists()


def test_no_more_than_there_may_be(browser: Client, settings: object) -> None:
    settings.API_KEYS_PER_USER = 1  # type: ignore[attr-defined]
    browser.post(PAGE, {"name": "One", "scopes": ["read"]})
    assert "as many keys" in browser.post(PAGE, {"name": "Two", "scopes": ["read"]}).content.decode()


def test_a_key_is_revoked_and_only_ones_own(browser: Client, alice: User, mallory: User) -> None:
    mine, _ = apikeys.create(user=alice, name="Mine", scopes=["read"])
    other, _ = apikeys.create(user=mallory, name="Hers", scopes=["read"])
    for key in (mine.id, other.id, new_id()):
        assert browser.post(f"{PAGE}{key}/revoke/").headers["Location"] == PAGE
    assert not ApiKey.objects.living().filter(id=mine.id).exists()
    assert ApiKey.objects.living().filter(id=other.id).exists()
    assert "Mine" not in page(browser)


def test_logging_out_elsewhere(browser: Client, alice: User, mallory: User) -> None:
    there, hers = identity_of(alice).login, identity_of(mallory).login
    assert page(browser).count("Log out there") == 1, "not here"
    for login in (there, hers, new_id()):
        assert browser.post(f"/accounts/logins/{login}/end/").headers["Location"] == PAGE
    assert not Login.objects.living().filter(id=there).exists()
    assert Login.objects.living().filter(id=hers).exists()
    assert "Log out there" not in page(browser)


def test_strangers_are_asked_to_log_in() -> None:
    for answer in (Client().get(PAGE), Client().post(f"{PAGE}{new_id()}/revoke/")):
        assert answer.headers["Location"].startswith("/accounts/login/")


def test_staff_change_their_password_where_everybody_does(browser: Client) -> None:
    assert browser.get("/admin/password_change/").headers["Location"] == "/accounts/password/change/"
