"""Files on the page: by button, by dropping, by pasting; what is refused says so; others see them at once."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.people import Person, ask
from tests.conversations.files import samples

pytestmark = pytest.mark.browser
NOTES = b"Monday: plans"


def given(name: str, content: bytes, type_: str = "text/plain") -> Any:
    return {"name": name, "mimeType": type_, "buffer": content}


def attach(who: Person, *files: Any) -> None:
    """Through the button, as people do."""
    with who.page.expect_file_chooser() as chooser:
        who.page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(list(files))


def chips(who: Person) -> Locator:
    return who.page.locator(".chip")


def hand_over(who: Person, event: str, on: str, name: str, content: bytes, type_: str) -> None:
    """A file in the clipboard, or under the mouse."""
    who.page.evaluate(
        """([event, on, name, content, type]) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], name, { type }));
            const target = document.querySelector(on);
            const made = event === "paste"
                ? new ClipboardEvent(event, { clipboardData: data, bubbles: true, cancelable: true })
                : new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true });
            target.dispatchEvent(made);
        }""",
        [event, on, name, base64.b64encode(content).decode(), type_],
    )


def test_a_file_goes_up_and_comes_down(alice: Person, person: Callable[..., Person], site: str) -> None:
    alice.begin("say hello")
    bob = person("bob")
    ask(site, f"conversations/{alice.conversation}/members/", {"user": bob.user}, alice.token)
    bob.page.goto(alice.page.url)
    bob.is_connected()
    attach(alice, given("会议 notes.txt", NOTES), given("green.png", samples.PNG, "image/png"))
    expect(chips(alice)).to_have_count(2)
    alice.say("say Look")
    for one in (alice, bob):
        files = one.page.locator("#messages .files a")
        expect(files).to_have_count(2)
        expect(files.first).to_contain_text("会议 notes.txt")
        expect(files.first).to_contain_text("13")
        expect(files.last.locator("img")).to_be_visible()
        assert files.last.locator("img").evaluate("async (image) => (await image.decode(), image.naturalWidth)") == 8
    expect(chips(alice)).to_have_count(0)
    with bob.page.expect_download() as download:
        bob.page.locator("#messages .files a").first.click()
    assert download.value.suggested_filename == "会议 notes.txt"
    assert Path(download.value.path()).read_bytes() == NOTES
    alice.page.reload()
    expect(alice.page.locator("#messages .files a")).to_have_count(2)


def test_dropping_and_pasting(alice: Person) -> None:
    alice.begin("say hello")
    alice.is_answered("hello")
    hand_over(alice, "dragenter", "#messages", "a.txt", NOTES, "text/plain")
    expect(alice.page.locator("form.dropping")).to_be_attached()
    hand_over(alice, "drop", "#messages", "a.txt", NOTES, "text/plain")
    expect(alice.page.locator("form.dropping")).not_to_be_attached()
    hand_over(alice, "paste", "#message", "image.png", samples.PNG, "image/png")
    expect(chips(alice)).to_have_text([re.compile(r"a\.txt"), re.compile(r"image\.png")])
    alice.composer.press("Enter")
    expect(alice.page.locator("#messages .files a")).to_have_count(2)
    expect(alice.unsent).to_have_count(0)


def test_what_is_refused_says_so_at_its_chip(alice: Person, tmp_path: Path) -> None:
    alice.begin("say hello")
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(20 * 1024 * 1024 + 1)
    attach(alice, large)
    attach(alice, given("empty.txt", b""), given("setup.pdf", samples.PE, "application/pdf"), given("ok.txt", NOTES))
    for name, sentence in (("large.bin", "Larger than"), ("empty.txt", "is empty"), ("setup.pdf", "are not taken")):
        chip = chips(alice).filter(has_text=name)
        expect(chip.get_by_role("alert")).to_contain_text(sentence)
    alice.say("say Look")
    expect(alice.page.get_by_role("button", name="Remove large.bin")).to_be_focused()
    expect(alice.composer).to_have_value("say Look")
    for name in ("large.bin", "empty.txt", "setup.pdf"):
        alice.page.get_by_role("button", name=f"Remove {name}").press("Enter")
    expect(chips(alice)).to_have_count(1)
    alice.composer.press("Enter")
    expect(alice.page.locator("#messages .files a")).to_have_text([re.compile(r"ok\.txt")])


def test_a_message_waits_for_its_files(alice: Person) -> None:
    alice.begin("say hello")
    held: list[Any] = []
    alice.page.route("**/api/v1/files/", lambda route: held.append(route))
    attach(alice, given("notes.txt", NOTES))
    expect(alice.page.get_by_role("progressbar", name="Uploading notes.txt")).to_be_visible()
    alice.say("say with notes")
    alice.composer.press("Enter")
    expect(alice.page.locator("[data-attach-note]")).to_have_text(
        "The message goes out as soon as its files are uploaded."
    )
    expect(alice.composer).to_have_value("say with notes")
    held[0].abort()
    chip = chips(alice)
    expect(chip.get_by_role("alert")).to_have_text("This file could not be uploaded.")
    alice.page.unroute("**/api/v1/files/")
    chip.get_by_role("button", name="Try again").click()
    expect(chip.get_by_role("alert")).to_be_hidden()
    expect(chip.get_by_role("progressbar")).to_be_hidden()
    alice.composer.press("Enter")
    expect(alice.page.locator("#messages .files a")).to_have_count(1)
    expect(alice.answer.locator(".prose")).to_contain_text(re.compile("with notes.*Monday: plans", re.DOTALL))
    assert alice.said().count("say with notes") == 1


def test_a_conversation_begins_with_a_file(alice: Person) -> None:
    alice.page.goto("/")
    alice.page.get_by_label("Who answers").select_option("openai")
    attach(alice, given("notes.txt", NOTES))
    expect(chips(alice)).to_have_count(1)
    alice.say("say begun")
    expect(alice.page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))
    expect(alice.page.locator("#messages .files a")).to_have_text([re.compile(r"notes\.txt")])
    expect(alice.answer.locator(".prose")).to_contain_text(re.compile("begun.*Monday: plans", re.DOTALL))


def test_unsent_files_are_kept_over_a_reload(alice: Person, person: Callable[..., Person], line: Any) -> None:
    there = person(at=line.url, as_user=alice)
    there.begin("say hello")
    attach(there, given("notes.txt", NOTES))
    expect(there.page.get_by_role("progressbar")).to_be_hidden()
    line.cut()
    there.say("say later")
    expect(there.unsent.locator(".files li")).to_have_text("notes.txt")
    line.mend()
    expect(there.page.locator("#messages .files a")).to_have_count(1)
    expect(there.unsent).to_have_count(0)
