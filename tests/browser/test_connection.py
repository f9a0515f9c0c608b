"""The line breaks: the page says so, keeps what was written, and catches up."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.line import Line
from tests.browser.people import Person, ask, end_session, get

pytestmark = pytest.mark.browser


@pytest.fixture
def alice(person: Callable[..., Person], line: Line) -> Person:
    """Behind the line that can be cut."""
    return person("alice", at=line.url)


def test_what_is_written_without_a_connection_goes_out_later(alice: Person, line: Line) -> None:
    alice.begin("say hi")
    alice.is_answered("hi")
    line.cut()
    connection = alice.page.locator("#connection")
    expect(connection).to_contain_text(re.compile(r"Connection lost\.\s*Reconnecting in \d+ s"))
    alice.say("say one")
    alice.say("say two")
    expect(alice.unsent).to_have_count(2)
    expect(alice.unsent.first).to_contain_text("Not sent yet")
    expect(connection.get_by_role("button", name="Try now")).to_be_visible()
    line.mend()
    # By itself it may have come back before anybody can click.
    connection.get_by_role("button", name="Try now", include_hidden=True).dispatch_event("click")
    expect(connection).to_be_hidden()
    expect(alice.unsent).to_have_count(0)
    expect(alice.answer.locator(".prose")).to_have_text("two")
    assert [one for one in alice.said() if one.startswith("say")] == ["say hi", "say one", "say two"]
    assert [one for one in alice.said() if not one.startswith("say")] == ["hi", "one", "two"]


def test_what_is_unsent_outlives_a_reload(alice: Person) -> None:
    alice.begin("say hi")
    alice.is_answered("hi")
    alice.page.route_web_socket("**/ws/", lambda socket: socket.close(code=1001))
    alice.page.route("**/api/v1/**", lambda route: route.abort())
    alice.page.reload()
    alice.say("say kept")
    expect(alice.unsent).to_have_count(1)
    alice.page.reload()
    expect(alice.unsent).to_contain_text("say kept")
    other = alice.another_tab()
    expect(other.answer.locator(".prose")).to_have_text("kept")
    expect(other.unsent).to_have_count(0)
    assert [one for one in other.said() if one == "say kept"] == ["say kept"]


def test_an_answer_goes_on_while_nobody_is_connected(alice: Person, line: Line) -> None:
    alice.begin("slow 60 40")
    alice.sees("word5")
    alice.is_connected()
    line.cut()
    expect(alice.page.locator("#connection")).to_be_visible()
    alice.page.wait_for_timeout(1000)
    line.mend()
    expect(alice.answer.locator(".prose p")).to_have_text(" ".join(f"word{number}" for number in range(60)))


def test_much_was_said_meanwhile(alice: Person, line: Line, site: str) -> None:
    alice.begin("say hi")
    alice.is_answered("hi")
    line.cut()
    expect(alice.page.locator("#connection")).to_be_visible()
    for number in range(30):
        ask(site, f"conversations/{alice.conversation}/messages/", {"text": f"say no{number}"}, alice.token)
    line.mend()
    expect(alice.answer.locator(".prose")).to_have_text("no29", timeout=30_000)
    tab = alice.another_tab()
    assert alice.said()[-50:] == tab.said()


def test_a_first_message_is_kept_until_the_server_has_it(alice: Person, line: Line) -> None:
    alice.page.goto("/")
    alice.page.get_by_label("Who answers").select_option("openai")
    line.cut()
    alice.say("say patience")
    expect(alice.unsent).to_contain_text("The server cannot be reached. Your message is kept.")
    line.mend()
    expect(alice.page).to_have_url(re.compile("/c/"))
    expect(alice.answer.locator(".prose")).to_have_text("patience")


def test_who_was_away_for_too_long_is_told_and_has_everything(alice: Person, line: Line, site: str) -> None:
    alice.begin("say hi")
    alice.is_answered("hi")
    line.cut()
    expect(alice.page.locator("#connection")).to_contain_text("Connection lost.")
    visit = next(one for one in get(site, "sessions/", alice.token)["results"] if one["kind"] == "websocket")
    end_session(site, visit["id"], alice.token)
    ask(site, f"conversations/{alice.conversation}/messages/", {"text": "say meanwhile"}, alice.token)
    line.mend()
    connection = alice.page.locator("#connection")
    expect(connection).to_contain_text("You were away for long, so a new session has begun.", timeout=30_000)
    expect(alice.answer.locator(".prose")).to_have_text("meanwhile")
    connection.get_by_role("button", name="Close").click()
    expect(connection).to_be_hidden()
    alice.is_connected()


def test_who_has_logged_out_elsewhere_is_told(alice: Person, line: Line) -> None:
    alice.begin("say hi")
    tab = alice.another_tab()
    tab.is_connected()
    alice.page.get_by_role("button", name="Log out").click()
    expect(alice.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    line.cut()
    line.mend()
    expect(tab.page.locator("#connection")).to_contain_text("You are logged out.")
    tab.page.get_by_role("link", name="Log in").click()
    expect(tab.page.get_by_role("heading", name="Welcome back")).to_be_visible()
