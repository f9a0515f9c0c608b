"""Speaking while an answer is being written: the queue, and what else may become of unfinished answers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.line import Line
from tests.browser.people import Person

pytestmark = pytest.mark.browser


def waiting(person: Person) -> Locator:
    return person.page.locator("[data-queued]")


def choice(person: Person) -> Locator:
    return person.page.get_by_label("While an answer is being written")


def test_what_waits_is_changed_and_taken_back(alice: Person) -> None:
    alice.begin("slow 1000 30")
    tab = alice.another_tab()
    alice.sees("word2")
    for text in ("say second", "say third", "say fourth"):
        alice.say(text)
    for one in (alice, tab):
        expect(waiting(one)).to_have_count(3)
        expect(waiting(one).last).to_contain_text("number 3 in the queue")
    waiting(alice).nth(1).get_by_role("button", name="Take back").click()
    for one in (alice, tab):
        expect(waiting(one)).to_have_count(2)
        one.sees("This message was taken back before an answer began.")
        expect(waiting(one).last).to_contain_text("number 2 in the queue")
    waiting(tab).first.get_by_role("button", name="Change").click()
    field = tab.page.get_by_label("New text")
    field.fill("say something else")
    field.press("Enter")
    alice.sees("say something else")
    alice.stop_button.click()
    for one in (alice, tab):
        expect(one.page.locator("article.assistant .prose", has_text="something else")).to_be_visible()
        expect(one.answer.locator(".prose")).to_have_text("fourth")
        expect(waiting(one)).to_have_count(0)
    alice.in_step_with(tab)


def test_what_is_being_answered_is_no_longer_changed(alice: Person) -> None:
    alice.begin("slow 1000 30")
    alice.sees("word2")
    alice.say("slow 1000 31")
    waiting(alice).get_by_role("button", name="Change").click()
    alice.stop_button.first.click()
    expect(alice.page.locator("article.assistant")).to_have_count(2)
    field = alice.page.get_by_label("New text")
    field.fill("too late")
    field.press("Enter")
    expect(alice.page.locator(".editing .failed")).to_have_text("This is being answered already.")


def test_stop_what_is_written_and_answer_this(alice: Person) -> None:
    expect(choice(alice)).to_have_count(0)
    alice.begin("slow 1000 30")
    tab = alice.another_tab()
    alice.sees("word2")
    for one in (alice, tab):
        expect(choice(one)).to_be_visible()
    choice(alice).select_option("Stop what is written")
    alice.say("say now")
    alice.is_answered("now")
    expect(alice.page.locator("article.assistant").first).to_contain_text("Stopped.")
    for one in (alice, tab):
        expect(choice(one)).to_be_hidden()
    alice.in_step_with(tab)


def test_undo_and_ask_this_instead_counts_once(alice: Person) -> None:
    alice.begin("slow 1000 30")
    alice.sees("word2")
    choice(alice).select_option("Undo, and ask this instead")
    alice.say("slow 1000 31")
    expect(alice.page.locator("article.user.deleted")).to_have_count(1)
    expect(alice.answer).to_contain_text("word0")
    expect(choice(alice)).to_have_value("enqueue")
    alice.say("say last")
    expect(waiting(alice)).to_have_count(1)
    alice.stop_button.click()
    alice.is_answered("last")


def test_without_javascript(alice: Person, person: Callable[..., Person]) -> None:
    alice.begin("slow 1000 30")
    alice.sees("word2")
    plain = person(as_user=alice, java_script_enabled=False)
    plain.page.goto(alice.page.url)
    plain.composer.fill("say second")
    plain.page.get_by_role("button", name="Send").click()
    plain.page.get_by_label("New text").fill("say changed")
    plain.page.get_by_role("button", name="Save").click()
    alice.sees("say changed")
    plain.page.get_by_label("While an answer is being written").select_option("interrupt")
    plain.composer.fill("say at once")
    plain.page.get_by_role("button", name="Send").click()
    alice.is_answered("at once")


def test_stop_after_the_line_was_cut(person: Callable[..., Person], line: Line) -> None:
    """The answer is resumed, and so is its button."""
    alice = person("alice", at=line.url)
    alice.begin("slow 2000 30")
    alice.sees("word3")
    line.cut()
    expect(alice.page.locator("body:not([data-connection=online])")).to_be_attached()
    line.mend()
    alice.is_connected()
    tab = alice.another_tab()
    tab.stop_button.click()
    for one in (alice, tab):
        expect(one.answer).to_contain_text("Stopped.")
        expect(one.stop_button).to_be_hidden()


def test_an_answer_that_does_without_a_part_says_so(alice: Person) -> None:
    alice.begin("Help", "limping")
    alice.is_answered("It goes on all the same.")
    alice.say("Once more")
    expect(alice.answer).to_contain_text("Guide: took too long.")
    alice.is_answered("It goes on all the same.")
