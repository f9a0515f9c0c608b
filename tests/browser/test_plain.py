"""What people say to each other in plain words: the page shows it as the server would, and need not ask."""

import random
from collections.abc import Callable
from html import escape
from urllib.parse import quote

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Request, expect

from conversations import markdown
from tests.browser.people import Person, ask

pytestmark = pytest.mark.browser

PIECES = (
    *("a", "B", "é", "ß", "漢", "字", "😀", "👩", "\u200d", "\u0301", "1", "23", "٤", " ", "  ", ".", ",", ";", ":"),
    *("!", "?", "'", '"', "(", ")", "%", "€", "-", "–", "…", "，", "。", "「", "」"),
    *("*", "_", "`", "#", ">", "<", "&", "&amp;", "[", "]", "\\", "~", "|", "+", "=", "/", "@"),
    *("\n", "\t", "\r", "\u00a0"),
    *("1. ", "1) ", "- ", "www.x.org", "http://x.org", "    "),
)  # fmt: skip


def test_plain_is_what_the_server_shows_as_it_is(browser: Browser) -> None:
    """Some ten thousand texts of pieces that Markdown minds and of such that it does not."""
    chance = random.Random(4)
    texts = ["".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(20_000)]
    script = (settings.BASE_DIR / "conversations/static/conversations/plain.js").read_text()
    page = browser.new_page()
    plain = page.evaluate(
        "async ([script, texts]) => { const { isPlain } = await import(script); return texts.filter(isPlain); }",
        [f"data:text/javascript;charset=utf-8,{quote(script)}", texts],
    )
    page.close()

    assert len(plain) > 200
    for text in plain:
        assert markdown.render(text).replace("&quot;", '"') == f"<p>{escape(text, quote=False)}</p>\n", text


def asked(page: Page) -> list[str]:
    """The pieces of the page that are asked for from now on."""
    paths: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "fetch" and ("/m/" in request.url or request.url.endswith("/list/")):
            paths.append(request.url)

    page.on("request", note)
    return paths


def article(person: Person) -> str:
    html: str = person.page.locator("article.message").last.evaluate("article => article.outerHTML")
    return " ".join(html.replace("> <", "><").split()).replace("> ", ">").replace(" <", "<")


def test_nobody_asks_the_server_for_it(alice: Person, person: Callable[..., Person], site: str) -> None:
    bob = person("bob")
    earlier = ask(site, "conversations/", {"title": "Earlier"}, alice.token)["id"]
    made = ask(site, "conversations/", {"title": "Us", "members": [{"user": bob.user, "role": "editor"}]}, alice.token)
    ask(site, f"conversations/{earlier}/messages/", {"text": "news of the other one"}, alice.token)
    for one in (alice, bob):
        with one.page.expect_response("**/list/") as listed:  # once, when it has joined
            one.page.goto(f"/c/{made['id']}/")
        listed.value.finished()
        one.page.wait_for_load_state("networkidle")
    expect(alice.page.locator("#list li").first).to_contain_text("Earlier")
    paths = [asked(one.page) for one in (alice, bob)]

    alice.say("The ship comes tomorrow (I think); is 9:30 fine?")

    for one in (alice, bob):
        one.sees("The ship comes tomorrow (I think); is 9:30 fine?")
    expect(alice.unsent).to_have_count(0)
    expect(alice.page.locator("#list li").first).to_contain_text("Us")
    live = [article(one) for one in (alice, bob)]
    alice.page.wait_for_timeout(600)  # what is asked for soon would have been
    assert paths == [[], []]
    for one, shown in zip((alice, bob), live, strict=True):
        one.page.reload()
        assert article(one) == shown


def test_what_is_not_plain_is_shown_as_the_server_has_it(alice: Person, site: str) -> None:
    made = ask(site, "conversations/", {"title": "Notes"}, alice.token)
    alice.page.goto(f"/c/{made['id']}/")
    alice.is_connected()
    alice.say("this is **strong**")
    expect(alice.page.locator("article.message strong")).to_have_text("strong")
    alice.page.get_by_role("button", name="Edit").click()
    expect(alice.page.get_by_label("New text")).to_have_value("this is **strong**")
