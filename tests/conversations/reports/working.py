"""Reports of tests: begun, made, and opened again by other programs than those that wrote them."""

import io
from typing import Any
from uuid import UUID

import docx
from pypdf import PdfReader

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations import selectors
from conversations.models import Report
from conversations.reports import making
from conversations.services import conversations, reports, reporttemplates
from conversations.services.reports import Wish
from tests.conversations.support import answer, say

TABLE = "| a | b |\n|---|---|\n| one | 二 |"
LISTS = "- one\n- two\n  1. deep\n\n> quoted\n\n```\nx = 1\n```"
RICH = f"# Plan\n\nSome **bold** and *slanted* `code`, 你好世界.\n\n{LISTS}\n\n{TABLE}"


def talk(user: User, title: str = "Tea", *said: str) -> UUID:
    """A conversation in which everything that is said is answered by the same, in capitals."""
    made: UUID = conversations.create(user=user, title=title, assistant="guide").result(30).conversation.id
    for text in said:
        say(user, made, text)
        answer(made, text.upper())
    return made


def template(user: User, text: str | bytes, key: str = "own", *, shared: bool = False) -> str:
    content = text.encode() if isinstance(text, str) else text
    reporttemplates.keep(user=user, given=reporttemplates.Given(key, key, content, shared))
    return key


def begin(user: User, key: str, *places: UUID, form: str = "md", assistant: str = "guide", **wish: Any) -> Report:
    given = Wish(template=key, form=form, assistant=assistant, conversations=places, **wish)
    return reports.start(user=user, wish=given)


def made(report: Report) -> bytes:
    """Have it made; the document."""
    making.work(str(report.id))
    return selectors.report_document(Report.objects.get(id=report.id))


def filled(user: User, text: str, *places: UUID, **wish: Any) -> str:
    """What becomes of a template."""
    key = template(user, text, f"t-{new_id().hex[-12:]}")
    return made(begin(user, key, *places, **wish)).decode()


def word(content: bytes) -> Any:
    return docx.Document(io.BytesIO(content))


def pdf_text(content: bytes) -> str:
    """Without spaces: pypdf takes widths by another numbering, and codes by single bytes."""
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return text.replace(" ", "").replace("\0", "")
