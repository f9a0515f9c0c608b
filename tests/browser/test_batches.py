"""Many questions at once and reports, as people do it on the page."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Person, ask

pytestmark = pytest.mark.browser


def look(page: Page, name: str) -> None:
    """A picture for who looks at the pages: in the folder SCREENSHOTS, where there is one."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_questions_are_asked_watched_and_taken_along(alice: Person) -> None:
    page = alice.page
    page.goto("/batches/")
    page.get_by_label("Questions, one per line").fill("say one\nsay **two**\nslow 30 100\nslow 400 100\nstatus 401")
    page.get_by_label("Title").fill("Numbers")
    page.get_by_label("Assistant").select_option("openai")
    look(page, "batches")
    page.get_by_role("button", name="Ask them").click()
    expect(page.get_by_role("heading", name="Numbers")).to_be_visible()
    expect(page.get_by_text("2 of 5 answered")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    look(page, "batch-running")
    expect(page.get_by_text("3 of 5 answered")).to_be_visible()
    with page.expect_download() as half:
        page.get_by_role("link", name="CSV").click()
    assert "**two**" in Path(half.value.path()).read_text()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("1 stopped", exact=True)).to_be_visible()
    expect(page.get_by_text("1 failed", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Go on with the rest")).to_be_visible()
    look(page, "batch-stopped")
    page.locator(".rows").get_by_role("link", name="say one").click()
    expect(page.get_by_text("one", exact=True)).to_be_visible()


def test_a_file_with_a_mistake_is_told(alice: Person) -> None:
    page = alice.page
    page.goto("/batches/")
    content = b"id,question\n1,Why?\n2,\n"
    page.get_by_label("Or a file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Ask them").click()
    expect(page.get_by_role("alert")).to_contain_text("Row 3")
    look(page, "batches-mistake")


def test_a_report_is_made_shared_and_opened_by_a_stranger(alice: Person, site: str) -> None:
    page = alice.page
    ask(site, "conversations/", {"title": "Tea", "message": {"text": "Green?"}}, alice.token)
    page.goto("/reports/")
    page.get_by_label("Conversations").last.select_option(label="Tea")
    page.get_by_label("As", exact=True).select_option("pdf")
    look(page, "reports")
    page.get_by_role("button", name="Make it").click()
    with page.expect_download() as made:
        page.get_by_role("link", name="Download").click()
    assert Path(made.value.path()).read_bytes().startswith(b"%PDF")
    page.get_by_label("Password").fill("sesame")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Your link, shown this once:").input_value()
    look(page, "report")
    page.context.clear_cookies()
    page.goto(link)
    page.get_by_label("Password").fill("sesame")
    page.get_by_role("button").first.click()
    expect(page.get_by_role("heading", name="Tea")).to_be_visible()
    look(page, "shared-report")
    with page.expect_download() as taken:
        page.get_by_role("link", name=re.compile("Download")).click()
    assert taken.value.suggested_filename == "Tea.pdf"


def test_the_action_shows_how_far_it_is(alice: Person, site: str) -> None:
    place = ask(site, "conversations/", {"title": "Here", "assistant": "openai"}, alice.token)["id"]
    sent = {"text": "say one\nslow 60 100", "action": "batch"}
    ask(site, f"conversations/{place}/messages/", sent, alice.token)
    alice.page.goto(f"/c/{place}/")
    expect(alice.page.get_by_text("/2")).to_be_visible()
    look(alice.page, "action")
    expect(alice.page.get_by_role("link", name="2 of 2 questions answered")).to_be_visible(timeout=40_000)
