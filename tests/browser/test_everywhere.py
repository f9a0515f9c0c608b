"""Without JavaScript, in Chinese, on a phone, in the dark; and what every page has to have."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Person

pytestmark = pytest.mark.browser
# Finds texts whose contrast with what lies behind them is below 4.5 (WCAG 2.2 AA).
WEAK = (Path(__file__).parent / "contrast.js").read_text()
PHONE = {"viewport": {"width": 360, "height": 720}, "is_mobile": True, "has_touch": True}
PAGES = (
    "/",
    "/account/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/3rdparty/",
    "/accounts/api-keys/",
    "/accounts/email/",
    "/accounts/logout/",
    "/accounts/password/change/",
    "/documentation/docs/using-the-chat.md",
    "/nothing/here/",
)


def test_without_javascript(person: Callable[..., Person]) -> None:
    alice = person(java_script_enabled=False)
    alice.page.get_by_label("Who answers").select_option("openai")
    alice.composer.fill("say **plain**")
    alice.page.get_by_role("button", name="Send").click()
    expect(alice.page).to_have_url(re.compile("/c/"))
    for _ in range(50):
        if alice.page.locator(".assistant.complete").count():
            break
        alice.page.wait_for_timeout(100)
        alice.page.reload()
    expect(alice.answer.locator("strong")).to_have_text("plain")
    alice.composer.fill("slow 1000 30")
    alice.page.get_by_role("button", name="Send").click()
    for _ in range(50):
        if alice.stop_button.count():
            break
        alice.page.wait_for_timeout(100)
        alice.page.reload()
    alice.stop_button.click()
    expect(alice.answer).to_contain_text("Stopped.")


def test_in_chinese(person: Callable[..., Person]) -> None:
    alice = person()
    alice.page.get_by_role("button", name="简体中文").click()
    expect(alice.page.get_by_role("heading")).to_have_text("您想了解什么？")
    alice.page.locator("#assistant").select_option("openai")
    alice.page.locator("#message").fill("slow 1000 30")
    alice.page.locator("#message").press("Enter")
    alice.page.get_by_role("button", name="停止").click()
    expect(alice.answer).to_contain_text("已停止。此前写出的内容已保留。")
    expect(alice.answer).to_contain_text("AI 模型")
    expect(alice.page.locator("html")).to_have_attribute("lang", "zh-hans")


def test_an_input_method_keeps_its_enter(alice: Person) -> None:
    alice.begin("say hi")
    composing = "e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    alice.composer.fill("ni hao")
    alice.composer.evaluate(composing)
    expect(alice.composer).to_have_value("ni hao")


def test_on_a_phone(person: Callable[..., Person]) -> None:
    alice = person(**PHONE)
    alice.begin("say ```\n" + "wide " * 60 + "\n```")
    expect(alice.answer.locator("pre")).to_be_visible()
    fits(alice.page)
    expect(alice.composer).to_be_in_viewport()
    expect(alice.page.get_by_role("button", name="Send")).to_be_in_viewport()
    alice.page.get_by_role("link", name="All conversations").click()
    expect(alice.page.locator("#list a").first).to_be_visible()
    for path in PAGES:
        alice.page.goto(path)
        fits(alice.page)
    for path in ("/batches/", "/reports/", "/exports/"):
        alice.page.goto(path)
        fits(alice.page)
        expect(alice.page.locator("main form").first).to_be_in_viewport()
        expect(alice.page.locator(".side")).to_be_hidden()


def fits(page: Page) -> None:
    """Nothing makes the page wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(person: Callable[..., Person], scheme: str) -> None:
    alice = person(color_scheme=scheme)
    alice.begin("say ```python\ndef f(): return 'x' # why\n``` `code`")
    expect(alice.answer.locator(".prose")).to_be_visible()
    weak = alice.page.evaluate(WEAK)
    for path in PAGES:
        alice.page.goto(path)
        weak += alice.page.evaluate(WEAK)
    assert weak == []
