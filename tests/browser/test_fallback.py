"""Where no WebSocket gets through, the page goes on with server-sent events and POST, and comes back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.line import Line
from tests.browser.people import Person, ask

pytestmark = pytest.mark.browser
PATIENCE_MS = 20_000


@pytest.fixture
def alice(person: Callable[..., Person], line: Line) -> Person:
    """Behind the line that may block."""
    return person("alice", at=line.url)


def goes_by(who: Person, transport: str) -> None:
    """The page is connected this way, and shows nothing that is broken."""
    expect(who.page.locator(f"body[data-transport={transport}]")).to_be_attached(timeout=PATIENCE_MS)
    expect(who.page.locator("#connection")).to_be_hidden()


def looked_at_again(who: Person) -> None:
    """What the browser tells a page that somebody comes back to."""
    who.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_websocket_that_is_swallowed(alice: Person, line: Line) -> None:
    line.block("swallow")
    alice.begin("say hi")
    goes_by(alice, "sse")
    alice.say("say here")
    alice.is_answered("here")


def test_a_whole_exchange_without_a_websocket_and_back(alice: Person, line: Line, site: str) -> None:
    line.block("refuse")
    alice.begin("slow 30 60")
    goes_by(alice, "sse")
    alice.sees("word3")
    tab = alice.another_tab()
    goes_by(tab, "sse")
    expect(alice.answer.locator(".prose p")).to_have_text(" ".join(f"word{number}" for number in range(30)))
    alice.in_step_with(tab)
    tab.say("say hello from here")
    alice.is_answered("hello from here")
    alice.in_step_with(tab)
    for page in (alice.page, tab.page):
        expect(page.locator("[data-queued]")).to_have_count(0)  # nobody waits for an answer that is there
    assert line.blocked >= 2

    alice.say("slow 300 40")
    expect(alice.stop_button).to_be_visible()
    alice.sees("word5")
    alice.stop_button.click()
    expect(alice.stop_button).to_be_hidden()

    line.unblock()
    looked_at_again(alice)
    goes_by(alice, "websocket")
    alice.say("say back again")
    alice.is_answered("back again")
    goes_by(tab, "sse")
    alice.in_step_with(tab)
    looked_at_again(tab)
    goes_by(tab, "websocket")
    ask(site, f"conversations/{alice.conversation}/messages/", {"text": "say once"}, alice.token)
    alice.is_answered("once")
    tab.is_answered("once")
    alice.in_step_with(tab)
    tab.page.reload()
    tab.is_connected()
    alice.in_step_with(tab)  # nothing was doubled, nothing is missing


def test_a_websocket_that_breaks_and_is_blocked_from_then_on(alice: Person, line: Line) -> None:
    alice.begin("slow 40 60")
    goes_by(alice, "websocket")
    alice.sees("word3")
    line.block("drop")
    goes_by(alice, "sse")
    expect(alice.answer.locator(".prose p")).to_have_text(" ".join(f"word{number}" for number in range(40)))
    alice.say("say here")
    alice.is_answered("here")


def test_a_large_message_goes_as_a_request(alice: Person) -> None:
    """32,000 characters are 96 KB here: more than a frame may have."""
    alice.begin("say hi")
    alice.is_answered("hi")
    goes_by(alice, "websocket")
    alice.say("漢" * 31_000)
    alice.sees("漢" * 31_000)
    expect(alice.unsent).to_have_count(0)
    goes_by(alice, "websocket")
    assert alice.said().count("漢" * 31_000) == 1
