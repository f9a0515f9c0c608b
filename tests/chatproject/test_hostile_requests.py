"""Requests that mean harm: hosts, redirects, methods, bodies. Each is answered plainly, by a code and a request id."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import path as route
from django.urls import reverse

from accounts.models import User
from chatproject.urls import *  # noqa: F403  the handlers of errors
from chatproject.urls import urlpatterns as ours
from tests.api import Api
from tests.leaks import PASSWORD

SECRET = "do-not-tell"


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example", "", "a b", "\\x"]
)
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/v1/me/"])
def test_another_host(browser: Client, host: str, path: str) -> None:
    answer = browser.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()
    assert answer.headers["X-Request-ID"]


def test_a_forwarded_host_counts_for_nothing(browser: Client) -> None:
    answer = browser.get("/accounts/password/reset/", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.content.decode()
    assert answer.wsgi_request.get_host() == "testserver"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", "https:evil.example"],
)
def test_nobody_is_sent_elsewhere(browser: Client, alice: User, target: str) -> None:
    after_login = browser.post("/accounts/login/", {"login": alice.username, "password": PASSWORD, "next": target})
    after_language = browser.post(reverse("set_language"), {"language": "en", "next": target})
    for answer in (after_login, after_language):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/")
        assert not answer.headers["Location"].startswith(("//", "/\\"))


def raising(error: Exception) -> Callable[..., Any]:
    def view(request: Any) -> None:
        raise error

    return view


urlpatterns = [
    route("broken/", raising(ValueError(SECRET))),
    route("api/broken/", raising(ValueError(SECRET))),
    *ours,
]


@pytest.mark.parametrize("path", ["/broken/", "/api/broken/"])
@override_settings(ROOT_URLCONF=__name__)
def test_what_breaks_says_nothing_but_its_request_id(browser: Client, path: str) -> None:
    answer = browser.get(path, headers={"X-Request-ID": "abcd-1234"})
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] == "abcd-1234"
    text = answer.content.decode()
    assert "abcd-1234" in text
    assert all(word not in text for word in (SECRET, "Traceback", "ValueError", "chatproject"))


@pytest.mark.parametrize("status", [400, 403, 404])
def test_pages_of_errors_name_their_request(browser: Client, alice: User, status: int) -> None:
    if status == 403:
        browser = Client(enforce_csrf_checks=True)
    answer = {
        400: lambda: browser.get("/", headers={"Host": "evil.example"}),
        403: lambda: browser.post("/accounts/login/", {}),
        404: lambda: browser.get("/nothing/"),
    }[status]()
    assert answer.status_code == status
    assert answer.headers["X-Request-ID"] in answer.content.decode()


@pytest.mark.parametrize("id_", ["x" * 65, "short", "a b c d e", "<script>alert(1)</script>", "id\nwith-a-line"])
def test_a_request_id_is_not_taken_over_as_it_comes(browser: Client, id_: str) -> None:
    answer = browser.get("/nothing/", headers={"X-Request-ID": id_})
    assert answer.headers["X-Request-ID"] != id_
    assert id_ not in answer.content.decode()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_methods_that_nobody_asks_for(browser: Client, method: str) -> None:
    for path in ("/", "/api/v1/me/", "/accounts/login/"):
        assert browser.generic(method, path, headers={"Authorization": f"Bearer {SECRET}"}).status_code in (
            302,
            401,
            405,
        )


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b'{"title": "\xed\xa0\x80"}',
        b'{"title": "\\ud800"}',
        b'{"title": NaN}',
        b'{"metadata": ' + b"[" * 100_000,
        b'{"metadata": ' + b'{"a":' * 21 + b"1" + b"}" * 22,
        json.dumps({f"k{number}": number for number in range(101)}).encode(),
        json.dumps({"metadata": {f"k{number}": number for number in range(101)}}).encode(),
        b'{"title": ' + b"1" * 100_000 + b"}",
        b"[]",
        b"null",
        b"7",
        b"",
    ],
)
def test_bodies_that_are_refused(as_alice: Api, body: bytes) -> None:
    answer = as_alice.request("PATCH", "me/", body, {})
    assert (answer.status, answer.code) == (400, "invalid") or body == b""
    answer = as_alice.request("POST", "conversations/", body, {})
    assert (answer.status, answer.code) == (400, "invalid") or body == b""


def test_figures_may_want_a_token(browser: Client, settings: Any) -> None:
    assert browser.get("/metrics").status_code == 200
    settings.METRICS_TOKEN = SECRET
    for said in ({}, {"Authorization": "Bearer x"}, {"Authorization": SECRET}, {"Authorization": f"bearer {SECRET}x"}):
        refused = browser.get("/metrics", headers=said)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert browser.get("/metrics", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200
