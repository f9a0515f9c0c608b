"""The page of API keys and log-ins, and what logging out does to other tabs."""

import urllib.error
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person, get

pytestmark = pytest.mark.browser
PAGE = "/accounts/api-keys/"


def test_a_key_is_made_used_and_revoked(alice: Person, site: str) -> None:
    """By the keyboard alone."""
    alice.page.goto(PAGE)
    alice.page.get_by_label("Name").fill("Robot")
    alice.page.get_by_label("Name").press("Enter")
    secret = alice.page.get_by_label("Copy the new key now").input_value()
    assert get(site, "me/", secret)["username"] == alice.user

    alice.page.goto(PAGE)
    assert secret not in alice.page.content()
    alice.page.get_by_role("button", name="Revoke Robot").press("Enter")
    expect(alice.page.get_by_role("button", name="Revoke Robot")).to_have_count(0)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(site, "me/", secret)


def test_logging_out_elsewhere_ends_what_is_open_there(person: Callable[..., Person]) -> None:
    alice = person()
    laptop = person(as_user=alice, user_agent="Laptop/1")
    laptop.begin("say hi")
    alice.page.goto(PAGE)
    alice.page.get_by_role("listitem").filter(has_text="Laptop/1").get_by_role("button").click()
    expect(alice.page.get_by_text("Laptop/1")).to_have_count(0)
    laptop.page.reload()
    expect(laptop.page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
