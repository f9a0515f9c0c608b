"""The documentation as tests look at it: headings, tables, links, code."""

import re
from pathlib import Path

from django.conf import settings
from markdown_it import MarkdownIt

from conversations.assistants.builtin.pages import slug

BASE: Path = settings.BASE_DIR
PAGES = [BASE / "README.md", BASE / "CHANGELOG.md", *sorted((BASE / "docs").rglob("*.md"))]
Row = list[str]

_markdown = MarkdownIt("commonmark").enable("table")


def name_of(page: Path) -> str:
    return str(page.relative_to(BASE))


def text(name: str) -> str:
    """The text of one page, `docs/` understood."""
    return (BASE / "docs" / name).read_text()


def headings(source: str) -> list[str]:
    tokens = _markdown.parse(source)
    return [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in headings(page.read_text())}


def section(source: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    begun = re.split(rf"^#+ {re.escape(heading)}$", source, maxsplit=1, flags=re.MULTILINE)
    assert len(begun) == 2, f"there is no heading {heading!r}"
    return re.split(r"^#+ ", begun[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(source: str) -> list[Row]:
    """The rows of all tables, cell by cell, without their headers."""
    found: list[Row] = []
    for token in _markdown.parse(source):
        if token.type == "tbody_open":
            assert token.map
            lines = source.splitlines()[slice(*token.map)]
            found += [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return found


def words(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def code(source: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return [token.content for token in _markdown.parse(source) if token.type == "fence" and token.info == language]


def links(source: str) -> list[str]:
    """The targets of all links and pictures."""
    found: list[str] = []
    for token in _markdown.parse(source):
        for child in token.children or ():
            if child.type in ("link_open", "image"):
                found.append(str(child.attrs.get("href") or child.attrs["src"]))
    return found
