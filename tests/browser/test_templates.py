"""One person begins from a template: a card, a form, a conversation; by keyboard and on a telephone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from chatproject.lib.ids import new_id
from tests.browser.people import Person, ask

pytestmark = pytest.mark.browser


@pytest.fixture
def refund(site: str, admin_token: str) -> str:
    """The name of a template that asks for a customer, a plan and whether it is urgent."""
    name = f"Refund {new_id().hex[-6:]}"
    template = {
        "slug": name.replace(" ", "-"),
        "name": name,
        "description": "Gets a customer's money back, whatever it takes",
        "title": "Refund for {{ customer }}",
        "assistant": "openai",
        "system": ["You help with **refunds**."],
        "pinned": ["Customer: {{ customer }}, plan: {{ plan }}, urgent: {{ urgent }}"],
        "variables": [
            {"name": "customer", "label": "Customer's name"},
            {"name": "plan", "type": "choice", "choices": ["free", "paid"], "label": "Plan"},
            {"name": "urgent", "type": "boolean", "label": "It is urgent"},
            {"name": "story", "label": "What happened", "required": False, "max_length": 2000},
        ],
    }
    ask(site, "templates/", template, admin_token)
    return name


def test_by_keyboard(alice: Person, refund: str) -> None:
    page = alice.page
    page.goto("/")
    card = page.get_by_role("link", name=re.compile(refund))
    card.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Customer's name").fill("Ada")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Plan")).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_label("Customer's name").press("Enter")
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))
    expect(page.get_by_role("heading", name="Refund for Ada")).to_be_visible()
    alice.sees("Customer: Ada, plan: paid, urgent: yes")
    note = page.locator(".system-note")
    expect(note.locator("strong")).to_be_hidden()
    note.locator("summary").click()
    expect(note.locator("strong")).to_have_text("refunds")
    alice.say("say done")
    alice.is_answered("done")


def test_on_a_telephone_errors_keep_what_was_given(person: Callable[..., Person], refund: str) -> None:
    alice = person("alice", viewport={"width": 390, "height": 780}, has_touch=True)
    page = alice.page
    page.goto("/")
    page.get_by_role("link", name=re.compile(refund)).tap()
    page.get_by_label("Customer's name").fill("Ada")
    page.get_by_label("What happened").fill("Two lines\nof a story")
    page.locator("form.asked-for").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Begin").tap()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    expect(page.get_by_label("Customer's name")).to_have_value("Ada")
    expect(page.get_by_label("What happened")).to_have_value(re.compile("of a story"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Plan").select_option("free")
    page.get_by_role("button", name="Begin").tap()
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))
    alice.sees("Customer: Ada, plan: free, urgent: no")
