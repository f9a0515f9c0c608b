"""Searching at the page: by keyboard, on a phone, to the place where it was said."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person, ask
from tests.browser.test_everywhere import PHONE, WEAK

pytestmark = pytest.mark.browser


def said(person: Person, site: str, texts: list[str]) -> str:
    """A conversation in which all this was said; its id."""
    made = ask(site, "conversations/", {"title": "Zoo", "message": texts[0]}, person.token)
    for text in texts[1:]:
        ask(site, f"conversations/{made['id']}/messages/", {"text": text}, person.token)
    return str(made["id"])


def test_from_the_key_to_the_place(alice: Person, site: str) -> None:
    zoo = said(alice, site, ["An otter swims", *(f"Filling {number}" for number in range(60))])
    page = alice.page
    page.goto(f"/c/{zoo}/")
    page.locator("#main").press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("otter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 message, the best first")
    expect(page.locator("mark")).to_have_text("otter")
    assert page.evaluate(WEAK) == []
    page.get_by_role("link", name="Zoo Alice").or_(page.locator(".hits a")).first.click()
    expect(page).to_have_url(re.compile(rf"/c/{zoo}/\?before=\d+#m-"))
    expect(page.get_by_text("An otter swims")).to_be_in_viewport()
    page.get_by_role("link", name="Back to the latest messages").click()
    expect(page.get_by_text("Filling 59")).to_be_in_viewport()
    alice.is_connected()


def test_to_a_message_of_the_newest_page(alice: Person, site: str) -> None:
    zoo = said(alice, site, ["An otter swims", *(f"Filling {number}" for number in range(30))])
    alice.page.goto("/search/?q=otter")
    alice.page.locator(".hits a").click()
    expect(alice.page).to_have_url(re.compile(rf"/c/{zoo}/#m-"))
    expect(alice.page.get_by_text("An otter swims")).to_be_in_viewport()
    alice.is_connected()


def test_on_a_phone(person: Callable[..., Person], site: str) -> None:
    alice = person(**PHONE)
    said(alice, site, ["An otter swims " + "and swims " * 60])
    alice.page.goto("/")
    alice.page.get_by_role("searchbox").fill("otter")
    alice.page.get_by_role("searchbox").press("Enter")
    expect(alice.page.locator("mark")).to_have_text("otter")
    assert alice.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    alice.page.get_by_role("searchbox").fill("nothing of this kind")
    alice.page.get_by_role("button", name="Search").click()
    expect(alice.page.get_by_role("status")).to_contain_text("Nothing was found")
