"""The pages of accounts: signing up, logging in, failing to."""

import re

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from tests.leaks import PASSWORD


@pytest.fixture
def visitor() -> Client:
    """From a network of its own, so that limits of other tests do not count."""
    digits = new_id().hex
    return Client(REMOTE_ADDR=f"fd00:{digits[-12:-8]}:{digits[-8:-4]}:{digits[-4:]}::1")


def page(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def test_signing_up_logs_in(visitor: Client) -> None:
    name = f"carol-{new_id().hex[-10:]}"
    form = {"username": name, "email": "", "password1": PASSWORD, "password2": PASSWORD}
    assert visitor.post("/accounts/signup/", form).headers["Location"] == "/"
    assert name in page(visitor.get("/"))
    assert visitor.post("/accounts/logout/").headers["Location"] == "/"
    assert visitor.get("/").status_code == 302


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"password1": "123", "password2": "123"}, "too short"),
        ({"password1": PASSWORD, "password2": "another one 77"}, "same password"),
        ({"username": ""}, "required"),
    ],
)
def test_what_is_wrong_with_a_sign_up_is_said(visitor: Client, form: dict[str, str], sentence: str) -> None:
    full = {"username": f"dave-{new_id().hex[-10:]}", "password1": PASSWORD, "password2": PASSWORD, **form}
    shown = page(visitor.post("/accounts/signup/", full))
    assert sentence in shown
    assert 'role="alert"' in shown
    assert not User.objects.filter(username=full["username"]).exists()


def test_a_taken_name_is_refused(visitor: Client, alice: User) -> None:
    form = {"username": alice.username.upper(), "password1": PASSWORD, "password2": PASSWORD}
    assert "already exists" in page(visitor.post("/accounts/signup/", form))


def test_logging_in_leads_back_to_where_one_wanted_to_go(visitor: Client, alice: User) -> None:
    wanted = f"/c/{new_id()}/"
    form = {"login": alice.username, "password": PASSWORD, "next": wanted}
    asked = visitor.get(visitor.get(wanted).headers["Location"])
    assert f'value="{wanted}"' in page(asked)
    assert visitor.post("/accounts/login/", form).headers["Location"] == wanted


def test_a_foreign_address_is_not_gone_to(visitor: Client, alice: User) -> None:
    form = {"login": alice.username, "password": PASSWORD, "next": "https://evil.example/"}
    assert visitor.post("/accounts/login/", form).headers["Location"] == "/"


def test_a_wrong_password_tells_nothing_of_the_user(visitor: Client, alice: User) -> None:
    answers = {
        re.sub(r'value="[^"]*"', "", page(visitor.post("/accounts/login/", {"login": name, "password": "wrong"})))
        for name in (alice.username, "nobody-at-all")
    }
    assert len(answers) == 1
    assert 'role="alert"' in answers.pop()


def test_guessing_is_slowed_down(visitor: Client, alice: User) -> None:
    for _ in range(40):
        answer = visitor.post("/accounts/login/", {"login": alice.username, "password": "wrong"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429 or "Too many" in page(answer)


def test_sign_up_can_be_closed(visitor: Client, settings: LazySettings) -> None:
    settings.REGISTRATION_OPEN = False
    assert "Sign-up is closed" in page(visitor.get("/accounts/signup/"))
