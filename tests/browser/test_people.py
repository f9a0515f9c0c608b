"""Assistants that need people: what they ask, and hand-overs, live in several browsers."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import Person, ask
from tests.browser.test_everywhere import PHONE, WEAK, fits

pytestmark = pytest.mark.browser


def question(person: Person) -> Locator:
    return person.page.locator("[data-ask]").last


def test_a_form_is_answered_in_one_tab_and_gone_in_the_other(alice: Person) -> None:
    alice.begin("form", "asker")
    tab = alice.another_tab()
    for one in (alice, tab):
        expect(question(one).get_by_role("heading")).to_have_text("Where shall we ship it?")
    form = question(alice)
    form.get_by_label("Street").fill("Mill Lane 4")
    form.get_by_label("How many").fill("2")
    question(tab).get_by_label("Street").fill("Somewhere else")
    form.get_by_label("Size").select_option("large")
    form.get_by_label("As a gift").check()
    form.get_by_role("button", name="Send the answer").click()
    for one in (alice, tab):
        expect(one.answer.locator(".prose")).to_contain_text("You said {'street': 'Mill Lane 4', 'count': 2")
        expect(question(one)).to_contain_text(f"{alice.user} answered")
        expect(one.page.locator("[data-answer]")).to_have_count(0)


def test_mistakes_are_said_beside_the_field_and_what_was_typed_stays(alice: Person) -> None:
    alice.begin("form", "asker")
    form = question(alice)
    form.get_by_label("Street").fill("Mill Lane 4")
    form.get_by_label("How many").fill("12")
    form.get_by_label("Size").select_option("small")
    form.locator("form").evaluate("form => form.noValidate = true")
    form.get_by_role("button", name="Send the answer").click()
    field = question(alice).get_by_label("How many")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    said = field.get_attribute("aria-describedby") or ""
    assert any("9" in alice.page.locator(f"#{part}").inner_text() for part in said.split())
    expect(question(alice).get_by_label("Street")).to_have_value("Mill Lane 4")
    field.fill("9")
    field.press("Enter")
    expect(alice.answer.locator(".prose")).to_contain_text("'count': 9")


def test_buttons_with_the_keyboard_alone(alice: Person) -> None:
    alice.begin("approval", "asker")
    yes = question(alice).get_by_role("button", name="Yes")
    yes.click()
    expect(alice.answer.locator(".prose")).to_have_text("One moment. You said True.")
    alice.say("approval")  # told aloud is what comes while the page is open
    expect(yes).to_be_visible()
    expect(alice.page.locator("#announce")).to_contain_text("Send the invoice?")
    yes.focus()
    alice.page.keyboard.press("Tab")
    expect(question(alice).get_by_role("button", name="No")).to_be_focused()
    alice.page.keyboard.press("Enter")
    expect(alice.answer.locator(".prose")).to_have_text("One moment. You said False.")
    expect(alice.composer).to_be_focused()


def test_without_javascript(alice: Person, person: Callable[..., Person]) -> None:
    alice.begin("long", "asker")
    expect(question(alice)).to_be_visible()
    plain = person(as_user=alice, java_script_enabled=False)
    plain.page.goto(alice.page.url)
    question(plain).get_by_role("button", name="Send the answer").click()
    plain.page.goto(alice.page.url)
    question(plain).get_by_label("Dresden").check()
    question(plain).get_by_role("button", name="Send the answer").click()
    expect(question(plain)).to_contain_text("Dresden")
    expect(alice.answer.locator(".prose")).to_have_text("One moment. You said 'Dresden'.")


def test_a_question_outlives_a_reload_and_can_be_stopped(alice: Person) -> None:
    alice.begin("text", "asker")
    expect(question(alice).get_by_label("Answer")).to_be_visible()
    alice.page.reload()
    expect(question(alice).get_by_label("Answer")).to_be_visible()
    alice.is_connected()
    alice.stop_button.click()
    expect(question(alice)).to_contain_text("Nobody answered this.")


@pytest.fixture
def desk(person: Callable[..., Person], site: str, admin_token: str) -> Person:
    """Somebody who answers, as a member of Alice's conversations is made one."""
    return person("dora")


def test_a_person_answers_and_hands_back(alice: Person, desk: Person, site: str) -> None:
    alice.begin("say hello")
    alice.is_answered("hello")
    members = f"conversations/{alice.conversation}/members/"
    ask(site, members, {"user": desk.user, "role": "agent"}, alice.token)
    desk.page.goto(alice.page.url)
    desk.is_connected()
    alice.page.get_by_label("More about this conversation").click()
    alice.page.get_by_role("link", name="Talk to a person").click()
    alice.page.get_by_label("What is it about?").fill("A refund")
    alice.page.get_by_role("button", name="Ask for a person").click()
    expect(alice.page.locator("#standing")).to_contain_text("Waiting for a person.")
    alice.is_connected()
    desk.composer.fill("half a sentence")
    desk.page.get_by_role("button", name="Answer here").click()
    expect(desk.page.locator("#standing")).to_contain_text("You answer here.")
    expect(alice.page.locator("#standing")).to_contain_text(f"{desk.user} answers here.")
    desk.say("What is your number?")
    expect(alice.page.locator("article.agent").last).to_contain_text("What is your number?")
    alice.say("say 42")
    desk.sees("say 42")
    expect(alice.page.locator("[data-queued]")).to_have_count(0)
    desk.page.get_by_role("button", name="Back to the assistant").click()
    expect(alice.page.locator("#standing p")).to_have_count(0)
    alice.say("say thanks")
    alice.is_answered("thanks")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_on_a_phone_and_can_be_read(person: Callable[..., Person], scheme: str) -> None:
    alice = person("alice", color_scheme=scheme, **PHONE)
    alice.begin("form", "asker")
    expect(question(alice).get_by_label("Street")).to_be_visible()
    weak = looked_at(alice)
    thread = alice.page.url
    alice.page.goto(f"{thread}handoff/")
    weak += looked_at(alice)
    alice.page.get_by_role("button", name="Ask for a person").click()
    expect(alice.page.locator("#standing")).to_contain_text("Waiting for a person.")
    assert weak + looked_at(alice) == []


def looked_at(person: Person) -> list[str]:
    """Texts of the page that are hard to read; it fits the screen."""
    fits(person.page)
    weak: list[str] = person.page.evaluate(WEAK)
    return weak


def test_an_assistant_hands_over(alice: Person) -> None:
    alice.begin("My money", "clerk")
    alice.is_answered("Let me get a colleague.")
    expect(alice.page.locator("#standing")).to_contain_text("Waiting for a person.")
    alice.page.get_by_role("button", name="Back to the assistant").click()
    expect(alice.page.locator("#standing p")).to_have_count(0)


def test_the_desk_in_the_admin(alice: Person, visitor: Callable[..., Page], product: object, site: str) -> None:
    alice.begin("My money", "clerk")
    alice.is_answered("Let me get a colleague.")
    page = visitor()
    page.goto("/admin/")
    page.get_by_label("Username or e-mail").fill("admin")
    page.get_by_label("Password").fill(_admin_password(product))
    page.get_by_role("button", name="Log in", exact=True).click()
    page.goto("/admin/conversations/deskentry/")
    row = page.get_by_role("row").filter(has_text="wants a refund").last
    row.get_by_role("button", name="Claim").click()
    expect(page).to_have_url(re.compile("/c/"))
    expect(page.locator("#standing")).to_contain_text("You answer here.")
    expect(alice.page.locator("#standing")).to_contain_text("answers here.")


def _admin_password(product: object) -> str:
    return str(product.wait_for("Admin user: admin, password: ").split()[0])  # type: ignore[attr-defined]
