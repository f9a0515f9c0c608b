"""What answers say about themselves: policies of pages, of the admin, of the API, of files, of errors."""

import re
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client

from accounts.models import User

PAGES = (
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/documentation/",
    "/documentation/docs/security.md",
    "/nothing/",
)
STAFF = ("/admin/", "/admin/login/", "/admin/conversations/conversation/", "/admin/accounts/user/")
DATA = ("/api/v1/me/", "/api/v1/conversations/", "/api/v1/nothing/", "/api/schema/")
OTHERS = ("/livez", "/metrics", "/static/conversations/favicon.svg")


@pytest.fixture
def browser(alice: User) -> Client:
    """Alice's, who is staff and a superuser."""
    alice.is_staff = alice.is_superuser = True
    alice.save(update_fields=["is_staff", "is_superuser"])
    browser = Client(raise_request_exception=False)
    browser.force_login(alice)
    return browser


def directives(answer: Any) -> dict[str, list[str]]:
    policy = answer.headers["Content-Security-Policy"]
    return {name: sources for name, *sources in (part.split() for part in policy.split(";"))}


@pytest.mark.parametrize("path", [*PAGES, *STAFF, *DATA, *OTHERS, "/api/docs/"])
def test_what_every_answer_says(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "microphone=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["X-Request-ID"]
    policy = directives(answer)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert "'unsafe-inline'" not in policy.get("script-src", [])
    assert not re.search(r"[*]|https?:", answer.headers["Content-Security-Policy"])


@pytest.mark.parametrize("path", [*PAGES, "/api/docs/"])
def test_pages_run_nothing_but_our_files(browser: Client, path: str) -> None:
    policy = directives(browser.get(path))
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "data:"]
    assert ("trusted-types" in policy) == (path != "/api/docs/")


def test_only_the_admin_may_do_more(browser: Client) -> None:
    policy = directives(browser.get("/admin/"))
    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]


@pytest.mark.parametrize("path", DATA)
def test_data_opened_as_a_page_does_nothing(browser: Client, path: str) -> None:
    policy = directives(browser.get(path))
    assert policy["default-src"] == policy["form-action"] == ["'none'"]
    assert policy["sandbox"] == []


def test_nothing_tells_what_serves() -> None:
    answer = Client().get("/livez")
    assert not {"Server", "X-Powered-By"} & set(answer.headers)
    assert not project.DEBUG
