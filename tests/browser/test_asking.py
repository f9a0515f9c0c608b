"""One person asks: the answer streams, outlives a reload, can be stopped."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from chatproject.lib.ids import new_id
from tests.browser.people import PASSWORD, Person, ask

pytestmark = pytest.mark.browser


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def test_from_signing_up_to_the_answer(visitor: Callable[..., Page]) -> None:
    page, name = visitor(), f"new-{new_id().hex[-10:]}"
    page.goto("/")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    page.get_by_role("button", name="Can I close my laptop while it answers?").click()
    expect(page).to_have_url(re.compile("/c/"))
    expect(page.locator(".step")).to_contain_text("Looked it up: documentation")
    expect(page.locator("article.assistant.complete .prose")).to_be_visible()
    source = page.locator(".sources a").first
    with page.context.expect_page() as opened:
        source.click()
    expect(opened.value.locator("h1")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    page.get_by_label("Username or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator("#list a")).to_have_count(1)


def test_an_answer_streams_and_ends_as_markdown(alice: Person) -> None:
    alice.begin("slow 60 25")
    expect(alice.answer).to_have_class(re.compile("streaming"))
    lengths = []
    while "streaming" in (alice.answer.get_attribute("class") or ""):
        lengths.append(len(alice.answer.locator("[data-text], .prose").inner_text()))
        alice.page.wait_for_timeout(60)
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 5
    expect(alice.answer.locator(".prose p")).to_have_text(words(60))
    expect(alice.stop_button).to_be_hidden()
    alice.say("say **bold** `code`")
    expect(alice.answer.locator("strong")).to_have_text("bold")


def test_a_reload_in_the_middle_of_an_answer(alice: Person) -> None:
    alice.begin("slow 100 30")
    alice.sees("word10")
    alice.page.reload()
    expect(alice.answer).to_contain_text("word10")
    expect(alice.answer).to_have_class(re.compile("streaming"))
    expect(alice.stop_button).to_be_visible()
    expect(alice.answer.locator(".prose p")).to_have_text(words(100))


@pytest.mark.parametrize("way", ["button", "Escape"])
def test_stopping(alice: Person, way: str) -> None:
    alice.begin("slow 1000 30")
    alice.sees("word3")
    if way == "button":
        alice.stop_button.click()
    else:
        alice.page.keyboard.press(way)
    expect(alice.answer).to_contain_text("Stopped. What was written until then is kept.")
    expect(alice.answer).to_contain_text("word3")
    expect(alice.stop_button).to_be_hidden()
    expect(alice.composer).to_be_focused()


def test_questions_queue_up_and_can_be_taken_back(alice: Person) -> None:
    alice.begin("slow 1000 30")
    alice.sees("word2")
    alice.say("say second")
    alice.say("say third")
    waiting = alice.page.locator(".note", has_text="waiting for its turn")
    expect(waiting).to_have_count(2)
    alice.page.get_by_role("button", name="Take back").last.click()
    alice.sees("This message was taken back before an answer began.")
    alice.stop_button.click()
    expect(alice.answer.locator(".prose")).to_have_text("second")
    expect(alice.answer.locator(".asked")).to_have_text("say second")
    expect(waiting).to_have_count(0)


def test_an_answer_that_fails_says_so(alice: Person) -> None:
    alice.begin("status 500")
    expect(alice.answer.locator(".failed")).to_contain_text(
        "The answer failed. The model or its provider has an error."
    )
    alice.is_connected()  # the page may be so new that its script does not listen yet
    alice.say("cut 3")
    expect(alice.answer.locator(".failed")).to_contain_text("The answer failed.")
    expect(alice.answer.locator(".prose")).to_have_text(words(3))


def test_keys(alice: Person) -> None:
    alice.page.keyboard.press("Tab")
    alice.begin("say hi")
    alice.is_connected()
    alice.composer.press_sequentially("one")
    alice.composer.press("Shift+Enter")
    alice.composer.press_sequentially("two")
    expect(alice.composer).to_have_value("one\ntwo")
    alice.composer.press("Enter")
    expect(alice.composer).to_have_value("")
    alice.sees("You said: one two")
    skip = alice.page.get_by_role("link", name="Skip to the message")
    assert alice.page.evaluate("document.querySelector('a, button, input, textarea').className") == "skip"
    skip.focus()
    expect(skip).to_be_in_viewport(ratio=1)
    alice.page.keyboard.press("Enter")
    expect(alice.composer).to_be_focused()


def test_what_was_said_is_announced(alice: Person) -> None:
    alice.begin("say hi")
    expect(alice.answer.locator(".prose")).to_have_text("hi")
    alice.is_connected()
    alice.say("slow 10 20")  # told aloud is what comes while the page is open
    expect(alice.page.locator("#announce")).to_have_text(f"AI model has answered: {words(10)} ")


def test_renaming_and_archiving(alice: Person) -> None:
    alice.begin("say hi")
    tab = alice.another_tab()
    menu = alice.page.get_by_label("More about this conversation")
    menu.click()
    alice.page.get_by_label("Title").fill("Small talk")
    alice.page.get_by_role("button", name="Rename").click()
    expect(alice.page.locator("#list a[aria-current]")).to_contain_text("Small talk")
    expect(tab.page).to_have_title("Small talk · Conversations")
    menu.click()
    alice.page.keyboard.press("Escape")
    expect(alice.page.get_by_role("button", name="Archive")).to_be_hidden()
    menu.click()
    alice.page.get_by_role("button", name="Archive").click()
    expect(alice.page).to_have_url(re.compile(r"/$"))
    expect(alice.page.locator("#list")).not_to_contain_text("Small talk")
    expect(tab.page.locator(".closed")).to_contain_text("archived")


def test_older_messages_come_on_demand(alice: Person, site: str) -> None:
    made = ask(site, "conversations/", {"title": "A long one"}, alice.token)
    for number in range(112):
        ask(site, f"conversations/{made['id']}/messages/", {"text": f"no{number}"}, alice.token)
    alice.page.goto(f"/c/{made['id']}/")
    expect(alice.page.locator("#messages article").last).to_be_in_viewport()
    alice.page.get_by_role("link", name="Older messages").click()
    expect(alice.page.locator("#messages article")).to_have_count(100)
    alice.page.get_by_role("link", name="Older messages").click()
    expect(alice.page.locator("#messages article")).to_have_count(112)
    assert alice.said() == [f"no{number}" for number in range(112)]
