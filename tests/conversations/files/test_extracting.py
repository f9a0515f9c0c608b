"""Text from files: from the kinds that people attach, within bounds, and never a failed upload because of it."""

import io
import time
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import wire
from conversations.context import tokens
from conversations.files.extracting import draw
from conversations.files.sniffing import sniff
from conversations.services import files
from tests.conversations.files import samples


def text_of(content: bytes, name: str = "file", seconds: int = 10) -> str | None:
    held = io.BytesIO(content)
    return draw(held, sniff(held, name), seconds)


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        (b"# Plan\n", "plan.md", "# Plan"),
        (b"\xef\xbb\xbfa,b", "a.csv", "a,b"),
        ("会议记录".encode("utf-16"), "a.txt", "会议记录"),
        (b'{"a": [1]}', "a.json", '{"a": [1]}'),
        (samples.HTML, "a.html", samples.HTML.decode()),
        (samples.pdf(samples.page(b"First page"), samples.page(b"Second page")), "a.pdf", "First page\nSecond page"),
        (samples.docx(samples.paragraphs("第一段", "Second &amp; last")), "a.docx", "第一段\nSecond & last"),
    ],
)
def test_drawn(content: bytes, name: str, text: str) -> None:
    assert text_of(content, name) == text


@pytest.mark.parametrize(
    "content",
    [
        samples.PNG,
        b"   \n",
        b"\0\1\2",
        samples.pdf(b""),
        b"%PDF-1.7\n" + b"nonsense " * 1000,
        samples.docx(b"<w:document"),
        samples.docx(b"x" * 1000)[:-40],
    ],
)
def test_nothing_to_draw(content: bytes) -> None:
    assert text_of(content) is None


def test_no_more_than_asked_for(settings: Settings) -> None:
    settings.FILE_TEXT_MAX_LENGTH = 100
    assert text_of(b"x" * 5000) == "x" * 100
    assert text_of("会".encode() * 5000) == "会" * 100
    assert text_of(samples.pdf(*[samples.page(b"x" * 60)] * 5), "a.pdf") == "x" * 60 + "\n" + "x" * 39
    assert text_of(samples.docx(samples.paragraphs(*["y" * 60] * 5)), "a.docx") == "y" * 60 + "\n" + "y" * 39


def test_bombs_do_not_go_off() -> None:
    """A gigabyte in a megabyte, entities that multiply, and pages that take minutes."""
    thousand = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">%s]><x>&e9;</x>' % thousand
    slow = samples.pdf(samples.page(b"x") * 400_000)
    for bomb in (samples.docx(b"<" + b" " * 300_000_000), samples.docx(laughs), slow):
        began = time.monotonic()
        assert text_of(bomb, "a", seconds=2) is None
        assert time.monotonic() - began < 6


def test_text_is_kept_encrypted_and_counted(alice: User, conversation: UUID) -> None:
    given = files.Upload(io.BytesIO(b"Monday: plans"), 13, "notes.txt")
    row = files.upload(user=alice, conversation=conversation, given=given)
    row.refresh_from_db()
    assert "Monday" not in str(row.text)
    assert wire.file_text(row) == "Monday: plans"
    told = "[File: notes.txt]\nMonday: plans\n[End of the file notes.txt]"
    assert row.tokens == tokens.counts(told)
    assert wire.file(row)["tokens"] == tokens.counts(told)[tokens.configured()[0]]


def test_the_policy_of_privacy_holds_for_names_and_text(alice: User, conversation: UUID, settings: Settings) -> None:
    def put() -> str:
        held = b"Card 4111 1111 1111 1111"
        given = files.Upload(io.BytesIO(held), len(held), "ssn 123-45-6789.txt")
        row = files.upload(user=alice, conversation=conversation, given=given)
        return f"{wire.file_name(row)}: {wire.file_text(row)}"

    settings.PRIVACY_POLICY = "redact"
    assert put() == "ssn [REDACTED].txt: Card [REDACTED]"
    settings.PRIVACY_POLICY = "store"
    assert put() == "ssn 123-45-6789.txt: Card 4111 1111 1111 1111"
    settings.PRIVACY_POLICY = "refuse"
    with pytest.raises(Problem, match="invalid"):
        put()
