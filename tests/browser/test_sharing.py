"""Dialogs for members and for links, and strangers who read by one."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Person
from tests.browser.test_everywhere import PHONE, WEAK, fits

pytestmark = pytest.mark.browser


def opened(who: Person, button: str) -> Locator:
    """A dialog of the menu, by keyboard."""
    who.page.get_by_label("More about this conversation").press("Enter")
    who.page.get_by_role("button", name=button).press("Enter")
    dialog = who.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def link(who: Person, *, live: bool = False, password: str = "", views: str = "") -> str:
    """The address of a new link, made in the dialog."""
    dialog = opened(who, "Share …")
    if live:
        dialog.get_by_label("Live, with what is said next").check()
    dialog.get_by_label("Password").fill(password)
    dialog.get_by_label("Opened at most (times)").fill(views)
    dialog.get_by_role("button", name="Make a link").click()
    field = dialog.get_by_label("Your link, shown this once:")
    expect(field).to_have_value(re.compile(r"/s/[\w-]{43}/$"))
    expect(field).to_be_focused()
    return field.input_value()


def test_members_are_added_changed_and_removed(alice: Person, person: Callable[..., Person]) -> None:
    alice.begin("say hello")
    alice.is_answered("hello")
    bob = person("bob")
    dialog = opened(alice, "Members …")
    expect(dialog.locator("li")).to_have_text([re.compile(rf"{alice.user} \(you\)\s+Owner")])
    dialog.get_by_label("User name").fill("nobody-of-this-name")
    dialog.get_by_label("User name").press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("Not accepted: there is nobody of this name.")
    dialog.get_by_label("User name").fill(bob.user)
    dialog.get_by_label("User name").press("Enter")
    role = dialog.get_by_label(f"Role of {bob.user}")
    expect(role).to_have_value("editor")
    expect(dialog.get_by_role("alert")).to_be_hidden()
    expect(alice.page.locator("#others")).to_have_text(f"with {bob.user}")
    bob.page.goto(alice.page.url)
    expect(bob.composer).to_be_visible()
    role.select_option("viewer")
    expect(bob.page.locator(".closed")).to_contain_text("You may read here, but not write.")
    theirs = opened(bob, "Members …")
    expect(theirs.locator("li")).to_have_count(2)
    expect(theirs.get_by_role("combobox")).to_have_count(0)
    dialog.get_by_label(f"Remove {bob.user}").click()
    expect(dialog.locator("li")).to_have_count(1)
    expect(bob.page.locator("#connection")).to_contain_text("You are no longer in this conversation.")
    alice.page.keyboard.press("Escape")
    expect(alice.page.get_by_label("More about this conversation")).to_be_focused()


def test_a_member_leaves(alice: Person, person: Callable[..., Person]) -> None:
    alice.begin("say hello")
    alice.is_answered("hello")
    bob = person("bob")
    dialog = opened(alice, "Members …")
    dialog.get_by_label("User name").fill(bob.user)
    dialog.get_by_label("User name").press("Enter")
    expect(dialog.locator("li")).to_have_count(2)
    bob.page.goto(alice.page.url)
    opened(bob, "Members …").get_by_role("button", name="Leave …").click()
    bob.page.get_by_role("button", name="Stay").click()
    bob.page.get_by_role("button", name="Leave …").click()
    bob.page.get_by_role("button", name="Leave", exact=True).click()
    expect(bob.page).to_have_url(re.compile(r":\d+/$"))
    expect(dialog.locator("li")).to_have_count(1)


def test_a_stranger_follows_a_live_link_until_it_is_revoked(alice: Person, visitor: Callable[..., Page]) -> None:
    alice.begin("say **one**")
    alice.is_answered("one")
    stranger = visitor(**PHONE)
    stranger.goto(link(alice, live=True))
    expect(stranger.locator("article.assistant strong")).to_have_text("one")
    fits(stranger)
    alice.page.keyboard.press("Escape")
    alice.say("slow 40 30")
    expect(stranger.locator("article.assistant").last).to_contain_text("word5")
    expect(stranger.locator("article.assistant.complete").last).to_contain_text("word39")
    assert shown(stranger) == shown(alice.page)
    dialog = opened(alice, "Share …")
    expect(dialog.locator("li")).to_contain_text(["opened once"])
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.locator("li")).to_have_count(0)
    expect(stranger.locator("#over")).to_have_text(re.compile("This link leads nowhere any more."))
    expect(stranger.locator("article")).to_have_count(0)
    stranger.reload()
    expect(stranger.get_by_role("heading")).to_have_text("There is nothing here")


def shown(page: Page) -> list[str]:
    texts = page.locator("#messages article > :is(.prose, .text):visible").all_inner_texts()
    return [" ".join(text.split()) for text in texts]


def test_a_password_and_a_number_of_views(alice: Person, visitor: Callable[..., Page]) -> None:
    alice.begin("say secret")
    alice.is_answered("secret")
    address = link(alice, password="open sesame", views="1")
    stranger = visitor()
    stranger.goto(address)
    expect(stranger.get_by_label("Password")).to_be_focused()
    stranger.keyboard.type("open barley")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("alert")).to_have_text("This password is wrong.")
    stranger.get_by_label("Password").fill("open sesame")
    stranger.keyboard.press("Enter")
    expect(stranger.locator("article.assistant")).to_contain_text("secret")
    stranger.reload()
    expect(stranger.get_by_role("heading")).to_have_text("There is nothing here")


def test_without_javascript(alice: Person, visitor: Callable[..., Page]) -> None:
    alice.begin("say **one**")
    alice.is_answered("one")
    stranger = visitor(java_script_enabled=False)
    stranger.goto(link(alice, live=True))
    expect(stranger.locator("article.assistant strong")).to_have_text("one")
    expect(stranger.locator("noscript p")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(person: Callable[..., Person], visitor: Callable[..., Page], scheme: str) -> None:
    alice = person(color_scheme=scheme, **PHONE)
    alice.begin("say `one`")
    alice.is_answered("one")
    address = link(alice, password="x")
    weak = alice.page.evaluate(WEAK)
    fits(alice.page)
    alice.page.keyboard.press("Escape")
    opened(alice, "Members …")
    weak += alice.page.evaluate(WEAK)
    fits(alice.page)
    stranger = visitor(color_scheme=scheme)
    stranger.goto(address)
    weak += stranger.evaluate(WEAK)
    stranger.get_by_label("Password").fill("x")
    stranger.keyboard.press("Enter")
    expect(stranger.locator("article.assistant")).to_be_visible()
    assert weak + stranger.evaluate(WEAK) == []
