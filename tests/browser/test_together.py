"""The same thread in two tabs, in two browsers, and with two people: always in step."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person, ask

pytestmark = pytest.mark.browser


def test_two_tabs(alice: Person) -> None:
    alice.begin("slow 60 30")
    tab = alice.another_tab()
    tab.sees("word5")
    tab.say("say from the other tab")
    alice.sees("say from the other tab")
    alice.say("say from this one")
    for one in (alice, tab):
        expect(one.answer.locator(".prose")).to_have_text("from this one")
        expect(one.unsent).to_have_count(0)
    alice.in_step_with(tab)
    assert len(alice.said()) == 6


def test_two_browsers_and_a_stop_in_the_other(alice: Person, person: Callable[..., Person]) -> None:
    alice.begin("slow 1000 30")
    elsewhere = person(as_user=alice)
    elsewhere.page.get_by_role("link", name="slow 1000 30").click()
    elsewhere.sees("word3")
    elsewhere.stop_button.click()
    for one in (alice, elsewhere):
        expect(one.answer).to_contain_text("Stopped.")
    alice.in_step_with(elsewhere)


def test_two_people(alice: Person, person: Callable[..., Person], site: str) -> None:
    alice.begin("say hello")
    alice.sees("hello")
    bob = person("bob")
    ask(site, f"conversations/{alice.conversation}/members/", {"user": bob.user}, alice.token)
    bob.page.goto(alice.page.url)
    for one in (alice, bob):
        one.is_connected()
    bob.composer.press_sequentially("I am")
    expect(alice.page.locator("#typing")).to_have_text(f"{bob.user} is typing …")
    bob.say("say I am here")
    expect(alice.page.locator("#typing")).to_be_hidden()
    expect(alice.page.locator("article.user").last).to_contain_text(bob.user)
    alice.in_step_with(bob)


def test_what_happens_elsewhere_shows_in_the_list(alice: Person, site: str) -> None:
    alice.begin("say first")
    first = alice.conversation
    alice.begin("say second")
    ask(site, f"conversations/{first}/messages/", {"text": "say news"}, alice.token)
    alice.say("say more")
    expect(alice.page.locator(f"#list a[data-id='{first}'] .badge")).to_contain_text("1")


def test_who_is_removed_is_told(alice: Person, person: Callable[..., Person], site: str) -> None:
    alice.begin("say hello")
    bob = person("bob")
    members = f"conversations/{alice.conversation}/members/"
    user = ask(site, members, {"user": bob.user}, alice.token)["user"]["id"]
    bob.page.goto(alice.page.url)
    bob.sees("hello")
    address = f"/api/v1/{members}{user}/"
    alice.page.request.delete(address, headers={"Authorization": f"Bearer {alice.token}"})
    expect(bob.page.locator("#connection")).to_contain_text("You are no longer in this conversation.")
    bob.page.reload()
    expect(bob.page.get_by_role("heading")).to_have_text(re.compile("There is nothing here"))
