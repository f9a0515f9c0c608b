"""What is said over HTTP while PostgreSQL is away, or takes no writes: come back soon, and never that it is done."""

from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from chatproject.lib import metrics
from tests.api import Api
from tests.conversations.support import check_numbers
from tests.outages import database_away, database_read_only


def test_the_api_says_when_to_come_back(as_alice: Api, conversation: UUID) -> None:
    with database_away():
        for answer in (
            as_alice.get("conversations/"),
            as_alice.post(f"conversations/{conversation}/messages/", {"text": "Hi"}),
        ):
            assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "1")
    assert check_numbers(conversation) == 2


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/admin/"])
def test_pages_say_so_too(alice: User, path: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    with database_away():
        answer = client.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "A part of the service is away for the moment; try again." in answer.content.decode()


def test_health_while_it_is_away() -> None:
    with database_away():
        assert Client().get("/livez").status_code == 200
        assert Client().get("/readyz").status_code == 503
        assert "refusals_total" in Client().get("/metrics").content.decode()


def test_nothing_is_acknowledged_that_cannot_be_written(as_alice: Api, as_bob: Api, conversation: UUID) -> None:
    """Read-only, as a standby is, or PostgreSQL whose disk is full: what is there can be read."""
    failures = metrics.commit_failures._value.get()
    path = f"conversations/{conversation}/messages/"
    with database_read_only():
        sent = as_alice.post(path, {"text": "Hi", "cmid": "1"})
        made = as_alice.post("conversations/", {"title": "New"})
        assert [(one.status, one.code) for one in (sent, made)] == [(503, "unavailable")] * 2
        assert as_bob.get(path).json["results"] == []
    assert metrics.commit_failures._value.get() <= failures + 4
    assert as_alice.post(path, {"text": "Hi", "cmid": "1"}).json["dup"] is False
