"""Several assistants in one conversation: offered while one types, and each contribution shown as whose it is."""

import os

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person

pytestmark = pytest.mark.browser


def shot(person: Person, name: str) -> None:
    """A picture for whoever wants to look (SHOTS names a folder)."""
    if folder := os.environ.get("SHOTS"):
        person.page.screenshot(path=f"{folder}/{name}.png")


def test_names_are_offered_after_an_at_sign_and_taken_by_keys(alice: Person) -> None:
    alice.begin("say hello")
    alice.is_answered("hello")
    offers = alice.page.get_by_role("listbox", name="Assistants").get_by_role("option")
    alice.composer.press_sequentially("Well, @")
    expect(offers.first).to_be_visible()
    assert offers.count() >= 2
    shot(alice, "mentions")
    alice.composer.press("ArrowDown")
    expect(offers.nth(1)).to_have_attribute("aria-selected", "true")
    alice.composer.press("Escape")
    expect(offers.first).to_be_hidden()
    alice.composer.press_sequentially("gui")
    expect(offers).to_have_count(1)
    alice.composer.press("Enter")
    expect(alice.composer).to_have_value("Well, @guide ")
    expect(offers.first).to_be_hidden()
    alice.composer.press_sequentially("how do I back up everything?")
    alice.composer.press("Enter")
    expect(alice.answer).to_contain_text("Guide")
    expect(alice.answer.locator(".prose")).to_contain_text("documentation")


def test_an_address_offers_nothing(alice: Person) -> None:
    alice.begin("say hello")
    alice.is_answered("hello")
    alice.composer.press_sequentially("ada@gui")
    expect(alice.page.get_by_role("listbox", name="Assistants")).to_be_hidden()


def test_a_team_is_shown_as_what_it_is(alice: Person) -> None:
    alice.begin("say hello")
    alice.is_answered("hello")
    alice.say("@pair say something")
    expect(alice.page.locator("article.assistant")).to_have_count(3)
    notes = alice.page.locator("article .note.team")
    expect(notes).to_have_count(2)
    expect(notes.first).to_contain_text("Pair · turn 1 · next: Guide")
    expect(notes.last).to_contain_text("turn 2 · the team has ended")
    shot(alice, "team")
