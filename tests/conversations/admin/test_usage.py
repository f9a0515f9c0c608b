"""The table of usage and cost."""

from django.test import Client
from pytest_django import Settings

from accounts.models import User
from chatproject.lib import prices
from conversations.services import runs
from tests.conversations.admin.conftest import browser, new_staff
from tests.conversations.assistants.support import asked

PAGE = "/admin/conversations/run/usage/"


def page(client: Client, **query: str) -> str:
    answer = client.get(PAGE, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_who_took_what(alice: User, settings: Settings) -> None:
    settings.PRICES = prices.read('{"guide": {"input": 1, "output": 2}}')
    _, claim = asked(alice)
    runs.end(claim=claim, status="completed", text="Hi", usage={"input_tokens": 123, "output_tokens": 1}).result(10)
    client = browser(new_staff("Auditor", "view_usage", "view_run"))
    assert alice.display_name in page(client, group="user")
    assert "0.000125 USD" in page(client, group="user")
    assert '<th scope="row">guide</th>' in page(client)
    assert "A date such as 2026-11-30" in page(client, **{"from": "yesterday"})
    assert PAGE in client.get("/admin/conversations/run/").content.decode()


def test_it_needs_a_permission() -> None:
    assert browser(new_staff("Clerk", "view_run")).get(PAGE).status_code == 403
