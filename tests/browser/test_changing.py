"""Changing what was said: edit, delete, pin, answer once more, move between answers, rate; live in every tab."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.people import Person, ask

pytestmark = pytest.mark.browser


def act(article: Locator, label: str) -> Locator:
    article.hover()
    return article.get_by_role("button", name=label, exact=True)


def question(who: Person) -> Locator:
    return who.page.locator("article.mine").last


@pytest.fixture
def tabs(alice: Person) -> tuple[Person, Person]:
    """Alice has asked and was answered `one`; two tabs show it."""
    alice.begin("say one")
    alice.is_answered("one")
    tab = alice.another_tab()
    tab.is_connected()
    return alice, tab


def edit(who: Person, text: str) -> None:
    act(question(who), "Edit").click()
    who.page.get_by_label("New text").fill(text)


def test_an_edit_shows_in_the_other_tab(tabs: tuple[Person, Person]) -> None:
    alice, tab = tabs
    edit(alice, "say two")
    alice.page.get_by_label("New text").press("Enter")
    for one in tabs:
        expect(question(one).locator("> .prose")).to_have_text("say two")
    question(tab).get_by_role("button", name="Edited").click()
    versions = tab.page.get_by_role("dialog")
    expect(versions.locator("li .prose")).to_have_text(["say one", "say two"])
    tab.page.keyboard.press("Escape")
    expect(versions).to_be_hidden()
    expect(question(tab).get_by_role("button", name="Edited")).to_be_focused()


def test_a_stale_edit_is_shown_the_current_version(tabs: tuple[Person, Person]) -> None:
    alice, tab = tabs
    edit(alice, "say mine")
    edit(tab, "say theirs")
    tab.page.get_by_role("button", name="Save").click()
    expect(question(tab).locator("> .prose")).to_have_text("say theirs")
    alice.page.get_by_role("button", name="Save").click()
    expect(alice.page.locator(".stale")).to_contain_text("say theirs")
    expect(alice.page.get_by_label("New text")).to_have_value("say mine")
    alice.page.get_by_role("button", name="Save").click()
    for one in tabs:
        expect(question(one).locator("> .prose")).to_have_text("say mine")


def test_escape_leaves_a_message_as_it_was(alice: Person) -> None:
    alice.begin("say one")
    alice.is_answered("one")
    edit(alice, "say two")
    alice.page.keyboard.press("Escape")
    expect(question(alice).locator("> .prose")).to_be_visible()
    expect(act(question(alice), "Edit")).to_be_focused()
    assert alice.said() == ["say one", "one"]


def test_another_answer_and_back(tabs: tuple[Person, Person]) -> None:
    alice, tab = tabs
    edit(alice, "say two")
    alice.page.get_by_role("button", name="Save").click()
    expect(question(alice).locator("> .prose")).to_have_text("say two")
    act(alice.answer, "Answer once more").click()
    for one in tabs:
        one.is_answered("two")
        expect(one.answer.locator(".turning")).to_contain_text("2/2")
        expect(one.page.locator("article.assistant")).to_have_count(1)
    act(tab.answer, "Previous answer").click()
    for one in tabs:
        one.is_answered("one")
        expect(one.answer.locator(".turning")).to_contain_text("1/2")
    expect(act(tab.answer, "Next answer")).to_be_enabled()
    alice.page.reload()
    alice.is_answered("one")


def test_an_earlier_answer_stays_in_its_place(tabs: tuple[Person, Person]) -> None:
    alice, tab = tabs
    alice.say("say later")
    alice.is_answered("later")
    act(alice.page.locator("article.assistant").first, "Answer once more").click()
    for one in tabs:
        expect(one.page.locator("article.assistant").first.locator(".turning")).to_contain_text("2/2")
        one.is_answered("later")
    alice.page.reload()
    alice.in_step_with(tab)
    assert alice.said() == ["say one", "one", "say later", "later"]


def test_deleting_asks_first(tabs: tuple[Person, Person]) -> None:
    alice = tabs[0]
    act(question(alice), "Delete").click()
    dialog = alice.page.get_by_role("dialog", name="Delete this message?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    act(question(alice), "Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    for one in tabs:
        expect(question(one)).to_contain_text("This message was deleted.")
    assert alice.said() == ["one"]


def test_rating_and_pinning(tabs: tuple[Person, Person], site: str) -> None:
    alice, tab = tabs
    act(alice.answer, "Good answer").click()
    act(alice.answer, "This solved it").click()
    act(alice.answer, "Keep in mind").click()
    for one in tabs:
        for label in ("Good answer", "This solved it", "Keep in mind"):
            expect(act(one.answer, label)).to_have_attribute("aria-pressed", "true")
        expect(one.answer.locator(".mark")).to_have_text("Pinned")
    act(tab.answer, "Bad answer").click()
    expect(act(alice.answer, "Good answer")).to_have_attribute("aria-pressed", "false")
    act(tab.answer, "Bad answer").click()
    expect(act(alice.answer, "Bad answer")).to_have_attribute("aria-pressed", "false")


def test_clicks_before_the_server_has_answered(tabs: tuple[Person, Person]) -> None:
    """Each click counts from what is shown, at once, and they arrive in order: the last one decides."""
    alice, tab = tabs
    held: list[Route] = []
    alice.page.route("**/feedback/", lambda route: held.append(route), times=1)
    for label in ("Good answer", "Bad answer", "Bad answer", "Good answer", "Bad answer", "This solved it"):
        act(alice.answer, label).click()
    for label, pressed in (("Good answer", "false"), ("Bad answer", "true"), ("This solved it", "true")):
        expect(act(alice.answer, label)).to_have_attribute("aria-pressed", pressed)
    act(tab.answer, "Keep in mind").click()
    expect(alice.answer.locator(".mark")).to_have_text("Pinned")  # rendered anew, with what was asked for
    expect(act(alice.answer, "Bad answer")).to_have_attribute("aria-pressed", "true")
    held[0].continue_()
    for label, pressed in (("Good answer", "false"), ("Bad answer", "true"), ("This solved it", "true")):
        for one in tabs:
            expect(act(one.answer, label)).to_have_attribute("aria-pressed", pressed)
    alice.page.reload()
    expect(act(alice.answer, "Bad answer")).to_have_attribute("aria-pressed", "true")


def test_a_comment_is_kept_until_it_is_saved(alice: Person) -> None:
    alice.begin("say one")
    alice.is_answered("one")
    act(alice.answer, "Comment").click()
    dialog = alice.page.get_by_role("dialog", name="What do you think of this answer?")
    dialog.get_by_role("textbox").fill("Two would be better")
    alice.page.context.set_offline(True)
    dialog.get_by_role("button", name="Save").click()
    expect(alice.page.locator("#notice")).to_contain_text("The server cannot be reached.")
    alice.page.context.set_offline(False)
    act(alice.answer, "Comment").click()
    expect(dialog.get_by_role("textbox")).to_have_value("Two would be better")
    dialog.get_by_role("button", name="Save").click()
    expect(act(alice.answer, "Comment")).to_have_attribute("aria-pressed", "true")
    alice.page.reload()
    act(alice.answer, "Comment").click()
    expect(dialog.get_by_role("textbox")).to_have_value("Two would be better")
    dialog.get_by_role("textbox").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(act(alice.answer, "Comment")).to_have_attribute("aria-pressed", "false")


def test_copying_counts(alice: Person, site: str) -> None:
    alice.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    alice.begin("say **one**")
    alice.is_answered("one")
    act(alice.answer, "Copy").click()
    expect(alice.page.get_by_text("Copied")).to_be_visible()
    assert alice.page.evaluate("navigator.clipboard.readText()").strip() == "**one**"
    counts = "async (id) => (await (await fetch(`/api/v1/conversations/${id}/`)).json()).feedback.copied"
    alice.page.wait_for_function(f"async (id) => (await ({counts})(id)) === 1", arg=alice.conversation)


def test_the_buttons_are_one_stop_of_the_tab_key(alice: Person) -> None:
    alice.begin("say one")
    alice.is_answered("one")
    act(alice.answer, "Copy").focus()
    alice.page.keyboard.press("ArrowRight")
    expect(act(alice.answer, "Good answer")).to_be_focused()
    alice.page.keyboard.press("ArrowLeft")
    alice.page.keyboard.press("ArrowLeft")
    expect(act(alice.answer, "Delete")).to_be_focused()
    alice.page.keyboard.press("Shift+Tab")
    expect(alice.answer.locator(":focus")).to_have_count(0)


def test_who_only_reads_may_rate(alice: Person, person: Callable[..., Person], site: str) -> None:
    alice.begin("say one")
    alice.is_answered("one")
    bob = person("bob")
    member: dict[str, Any] = {"user": bob.user, "role": "viewer"}
    ask(site, f"conversations/{alice.conversation}/members/", member, alice.token)
    bob.page.goto(alice.page.url)
    expect(act(bob.answer, "Answer once more")).to_have_count(0)
    expect(act(bob.answer, "Delete")).to_have_count(0)
    act(bob.answer, "Good answer").click()
    expect(act(bob.answer, "Good answer")).to_have_attribute("aria-pressed", "true")
    expect(act(alice.answer, "Good answer")).to_have_attribute("aria-pressed", "false")


def test_what_an_act_could_not_do_is_said(alice: Person) -> None:
    alice.begin("say one")
    alice.is_answered("one")
    alice.page.context.set_offline(True)
    act(alice.answer, "Good answer").click()
    expect(alice.page.locator("#notice")).to_contain_text("The server cannot be reached.")
    expect(act(alice.answer, "Good answer")).to_have_attribute("aria-pressed", "false")
    alice.page.context.set_offline(False)


def test_a_restore_in_the_middle_of_an_answer(tabs: tuple[Person, Person], site: str) -> None:
    """What came later is gone from every tab at once, the answer that was being written too."""
    alice, tab = tabs
    snapshot = ask(site, f"conversations/{alice.conversation}/snapshots/", {}, alice.token)
    edit(alice, "say other")
    alice.page.get_by_role("button", name="Save").click()
    expect(question(tab).locator("> .prose")).to_have_text("say other")
    alice.say("slow 1000 30")
    for one in tabs:
        one.sees("word3")
    path = f"conversations/{alice.conversation}/snapshots/{snapshot['seq']}/restore/"
    ask(site, path, {}, alice.token)
    for one in tabs:
        expect(one.page.locator("#messages article")).to_have_count(2)
        expect(one.stop_button).to_be_hidden()
        assert one.said() == ["say one", "one"]
    alice.say("say after")
    tab.is_answered("after")
    alice.in_step_with(tab)
