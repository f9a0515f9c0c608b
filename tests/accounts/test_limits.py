"""Limits over HTTP: what is told, for whom, and that pages and API count together."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.ids import new_id
from tests.api import Api
from tests.leaks import PASSWORD

# Addresses for documentation, each the only one of its test.
HERE = "203.0.113.{}"


def log_in(name: str, password: str = "wrong", address: str = "203.0.113.1") -> int:
    return Api(None).post("auth/token/", {"username": name, "password": password}, X_Forwarded_For=address).status


@pytest.fixture
def behind_a_proxy(settings: Settings) -> None:
    settings.NUM_PROXIES = 1


def test_ten_log_ins_a_minute(alice: User) -> None:
    assert [log_in(alice.username) for _ in range(10)] == [401] * 10
    answer = Api(None).post("auth/token/", {"username": alice.username, "password": PASSWORD})
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["RateLimit-Policy"] == '"login";q=10;w=60'
    assert answer.headers["RateLimit"].startswith('"login";r=0;t=')
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.json["retry_after_ms"] <= 60_000


def test_the_spelling_of_a_name_makes_no_difference(alice: User) -> None:
    assert [log_in(alice.username.upper()) for _ in range(5)] == [401] * 5
    assert [log_in(f" {alice.username} ") for _ in range(6)] == [401] * 5 + [429]


@pytest.mark.usefixtures("behind_a_proxy")
def test_others_log_in_meanwhile(alice: User, bob: User) -> None:
    assert [log_in(alice.username, address=HERE.format(2)) for _ in range(11)][-1] == 429
    assert log_in(bob.username, PASSWORD, HERE.format(2)) == 200
    assert log_in(alice.username, PASSWORD, HERE.format(3)) == 200


@pytest.mark.usefixtures("behind_a_proxy")
def test_many_addresses_try_one_user(alice: User, settings: Settings) -> None:
    settings.LIMIT_LOGIN_USER = 4
    assert [log_in(alice.username, address=HERE.format(10 + n)) for n in range(6)] == [401] * 4 + [429] * 2


@pytest.mark.usefixtures("behind_a_proxy")
def test_one_address_tries_many_users(settings: Settings) -> None:
    settings.LIMIT_LOGIN_ADDRESS = 4
    assert [log_in(new_id().hex, address=HERE.format(30)) for _ in range(6)] == [401] * 4 + [429] * 2
    assert log_in(new_id().hex, address=HERE.format(31)) == 401


def test_a_client_cannot_choose_its_address(alice: User) -> None:
    assert [log_in(alice.username, address=HERE.format(50 + n)) for n in range(11)][-1] == 429


def test_pages_and_api_count_together(alice: User) -> None:
    form = {"login": alice.username, "password": "wrong"}
    page = Client()
    assert [page.post("/accounts/login/", form).status_code for _ in range(6)] == [200] * 6
    assert [log_in(alice.username) for _ in range(4)] == [401] * 4
    answer = page.post("/accounts/login/", {**form, "password": PASSWORD})
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert "Too many requests" in answer.content.decode()
    assert page.get("/").status_code == 302


@pytest.mark.usefixtures("behind_a_proxy")
def test_sign_ups_of_one_address(settings: Settings) -> None:
    settings.LIMIT_REGISTER = 2

    def sign_up() -> int:
        body = {"username": new_id().hex, "password": PASSWORD}
        return Api(None).post("auth/register/", body, X_Forwarded_For=HERE.format(60)).status

    form = {"username": new_id().hex, "password1": PASSWORD, "password2": PASSWORD}
    here = {"X-Forwarded-For": HERE.format(60)}
    assert sign_up() == 201
    assert Client().post("/accounts/signup/", form, headers=here).status_code == 302
    assert sign_up() == 429
    assert Client().post("/accounts/signup/", form, headers=here).status_code == 429


def test_every_answer_tells_how_one_stands(as_alice: Api, as_bob: Api, settings: Settings) -> None:
    settings.LIMIT_FETCH = 2
    first, second, third = (as_alice.get("me/") for _ in range(3))
    assert [one.status for one in (first, second, third)] == [200, 200, 429]
    assert first.headers["RateLimit-Policy"] == '"fetch";q=2;w=60'
    assert [one.headers["RateLimit-Remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert first.headers["RateLimit-Limit"] == "2"
    assert 59 <= int(first.headers["RateLimit-Reset"]) <= 60
    assert as_bob.get("me/").status == 200


def test_reading_and_writing_are_counted_apart(as_alice: Api, settings: Settings) -> None:
    settings.LIMIT_SEND, settings.LIMIT_CHANGE, settings.LIMIT_TICKET = 1, 1, 1
    made = as_alice.post("conversations/", {"title": "Plans"})
    assert made.status == 201
    path = f"conversations/{made.json['id']}/"
    assert as_alice.post(f"{path}messages/", {"text": "Hello"}).status == 429
    assert as_alice.patch(path, {"title": "Other plans"}).status == 200
    assert as_alice.patch(path, {"title": "No plans"}).status == 429
    assert [as_alice.post("auth/ticket/").status for _ in range(2)] == [200, 429]
    assert as_alice.get(path).json["title"] == "Other plans"


def test_a_page_says_so_too(alice: User, settings: Settings) -> None:
    settings.LIMIT_FETCH = 1
    page = Client()
    page.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert page.get("/").status_code == 200
    answer = page.get("/")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1
