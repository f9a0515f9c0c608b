"""The documentation as sections: Markdown pages split at their headings, into blocks that can be quoted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

KEYWORDS = re.compile(r"<!--\s*also:(.*?)-->", re.DOTALL)
RELATIVE_LINK = re.compile(r"!?\[([^\]]+)\]\((?!https?:)[^)]*\)")

# Inline markup stays as it is written: only the frame of blocks is needed, and it takes a fifth of the time.
_markdown = MarkdownIt("commonmark").enable("table")
_markdown.core.ruler.enableOnly(["normalize", "block"])


@dataclass(frozen=True)
class Block:
    """A paragraph, list, code block, or one row of a table below its `header`."""

    text: str
    header: str = ""


@dataclass
class Section:
    """What stands below one heading; `keywords` are words that readers may use for it (`<!-- also: … -->`)."""

    page: str
    title: str
    heading: str
    blocks: list[Block] = field(default_factory=list)
    keywords: str = ""

    @property
    def anchor(self) -> str:
        return slug(self.heading)

    @property
    def name(self) -> str:
        """Page and heading for people."""
        return self.title if self.heading == self.title else f"{self.title} › {self.heading}"

    @property
    def text(self) -> str:
        return joined(self.blocks)


def read(base: Path) -> list[Section]:
    """All sections of README.md and docs/ below `base`, pages in order of their names."""
    paths = [base / "README.md", *sorted((base / "docs").rglob("*.md"))]
    return [section for path in paths if path.exists() for section in split(path.relative_to(base), path.read_text())]


def split(page: Path, text: str) -> Iterator[Section]:
    """The sections of one page, one for each heading that has something below it."""
    lines, section, title = text.splitlines(), None, ""
    tokens = _markdown.parse(text)
    for position, token in enumerate(tokens):
        if token.level or token.map is None:
            continue
        if token.type == "heading_open":
            heading = tokens[position + 1].content
            title = title or heading
            if section and section.blocks:
                yield section
            section = Section(str(page), plain(title), plain(heading))
        elif section:
            _add(section, token, "\n".join(lines[slice(*token.map)]).strip())
    if section and section.blocks:
        yield section


def slug(heading: str) -> str:
    """The anchor that Git hosts give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def joined(blocks: list[Block]) -> str:
    """Blocks as Markdown again; rows of one table stay together, below one header."""
    text, header = "", ""
    for block in blocks:
        same_table = block.header and block.header == header
        gap = "\n" if same_table else "\n\n" if text else ""
        text += gap + (block.text if same_table or not block.header else f"{block.header}\n{block.text}")
        header = block.header
    return text


def plain(text: str) -> str:
    """`text` with links that lead nowhere outside of the documentation made words."""
    return RELATIVE_LINK.sub(r"\1", text)


def _add(section: Section, token: Token, text: str) -> None:
    if token.type == "html_block":
        section.keywords += " ".join(KEYWORDS.findall(text))
    elif token.type == "table_open":
        head, rule, *rows = plain(text).splitlines()
        section.blocks += [Block(row, f"{head}\n{rule}") for row in rows]
    elif text:
        section.blocks.append(Block(text if token.type == "fence" else plain(text)))
