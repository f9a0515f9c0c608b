"""A person at the page: does what people do there, and looks at what they see."""

import json
import re
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page, expect

PASSWORD = "correct horse battery 9"


def register(site: str, user: str) -> str:
    """Make an account over the API; returns an access token."""
    return str(ask(site, "auth/register/", {"username": user, "password": PASSWORD})["access"])


def ask(site: str, path: str, body: dict[str, Any], token: str = "") -> Any:
    """POST to the API."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(f"{site}api/v1/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def get(site: str, path: str, token: str) -> Any:
    """GET from the API."""
    request = urllib.request.Request(f"{site}api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def end_session(site: str, session: str, token: str) -> None:
    """As if its hour were over."""
    where = f"{site}api/v1/sessions/{session}/"
    headers = {"Authorization": f"Bearer {token}"}
    urllib.request.urlopen(urllib.request.Request(where, headers=headers, method="DELETE"), timeout=20).close()


class Person:
    """`page` is their tab; `user` and `token` are theirs."""

    def __init__(self, page: Page, user: str, token: str) -> None:
        self.page = page
        self.user = user
        self.token = token

    def log_in(self) -> None:
        """Be somebody, without the form: the answer's cookies are the browser's."""
        door = "/accounts/login/"
        self.page.request.get(door)
        mark = next(cookie["value"] for cookie in self.page.context.cookies() if cookie["name"] == "csrftoken")
        form: dict[str, str | float | bool] = {"login": self.user, "password": PASSWORD, "csrfmiddlewaretoken": mark}
        answer = self.page.request.post(door, form=form)
        assert answer.ok, f"{answer.status} {answer.text()}"
        self.page.goto("/")

    def another_tab(self) -> "Person":
        """The same browser, the same page once more: in a window of its own, since pages of tabs that are not in
        front draw a frame only every few seconds."""
        with self.page.context.expect_page() as opened:
            self.page.evaluate("window.open(location.href, '_blank', 'popup,noopener')")
        opened.value.wait_for_load_state()
        return Person(opened.value, self.user, self.token)

    def begin(self, text: str, assistant: str = "openai") -> None:
        """A new conversation, from the front page."""
        self.page.goto("/")
        self.page.get_by_label("Who answers").select_option(assistant)
        self.say(text)
        expect(self.page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))
        self.page.wait_for_load_state()  # until its scripts are there, Enter only makes a new line

    def say(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def is_connected(self) -> None:
        expect(self.page.locator("body[data-connection=online]")).to_be_attached()

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def conversation(self) -> str:
        return self.page.url.rstrip("/").rsplit("/", 1)[1]

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.page.locator("article.assistant").last

    @property
    def unsent(self) -> Locator:
        return self.page.locator("#unsent article")

    @property
    def stop_button(self) -> Locator:
        return self.page.get_by_role("button", name="Stop", exact=True)

    def is_answered(self, text: str) -> None:
        """The newest answer has ended, and reads so; and what comes next will come live."""
        expect(self.answer.locator(".prose")).to_have_text(text)
        self.is_connected()

    def sees(self, text: str) -> None:
        expect(self.page.locator("#messages")).to_contain_text(text)

    def said(self) -> list[str]:
        """All messages on screen, in order."""
        return [
            " ".join(one.split())
            for one in self.page.locator("#messages article > :is(.prose, .text)").all_inner_texts()
        ]

    def in_step_with(self, other: "Person") -> None:
        """Both have the same messages on screen, soon."""
        for _ in range(50):
            if self.said() == other.said():
                return
            self.page.wait_for_timeout(100)
        assert self.said() == other.said()
