"""Markdown as a flat row of blocks, which every kind of document is written from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
SCHEMES = ("http", "https", "mailto")


@dataclass(frozen=True)
class Span:
    """A piece of a line in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False


@dataclass
class Block:
    """`kind`: heading, text, item, code, rule or table. `level`: of a heading 1 to 6, else how deep it is nested in
    lists. `marker`: what stands in front of an item. `quoted`: within a quotation. `rows`: of a table, the first its
    head."""

    kind: str
    spans: list[Span] = field(default_factory=list)
    level: int = 0
    marker: str = ""
    quoted: bool = False
    rows: list[list[list[Span]]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


def blocks(text: str) -> list[Block]:
    """What `text` is made of."""
    return list(_Reader(_markdown.parse(text)).read())


class _Reader:
    """Walks the tokens; the lists around a place are a stack of their next numbers (0: without)."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._lists: list[int] = []
        self._marker = ""
        self._heading = 0
        self._quotes = 0
        self._table: Block | None = None

    def read(self) -> Iterator[Block]:
        for token in self._tokens:
            handler = getattr(self, f"_{token.type}", None)
            block = handler(token) if handler else None
            if block:
                block.quoted = self._quotes > 0
                yield block

    def _heading_open(self, token: Token) -> None:
        self._heading = int(token.tag[1])

    def _heading_close(self, token: Token) -> None:
        self._heading = 0

    def _blockquote_open(self, token: Token) -> None:
        self._quotes += 1

    def _blockquote_close(self, token: Token) -> None:
        self._quotes -= 1

    def _bullet_list_open(self, token: Token) -> None:
        self._lists.append(0)

    def _ordered_list_open(self, token: Token) -> None:
        self._lists.append(int(token.attrGet("start") or 1))

    def _bullet_list_close(self, token: Token) -> None:
        self._lists.pop()

    _ordered_list_close = _bullet_list_close

    def _list_item_open(self, token: Token) -> None:
        number = self._lists[-1]
        self._marker = f"{number}." if number else "•"
        self._lists[-1] += 1 if number else 0

    def _inline(self, token: Token) -> Block | None:
        found = list(_spans(token.children or ()))
        if self._table is not None:
            self._table.rows[-1].append(found)
            return None
        if self._heading:
            return Block("heading", found, self._heading)
        marker, self._marker = self._marker, ""
        return Block("item" if marker else "text", found, len(self._lists), marker)

    def _fence(self, token: Token) -> Block:
        return Block("code", [Span(token.content.rstrip("\n"), code=True)], len(self._lists))

    _code_block = _fence

    def _hr(self, token: Token) -> Block:
        return Block("rule")

    def _table_open(self, token: Token) -> None:
        self._table = Block("table")

    def _tr_open(self, token: Token) -> None:
        assert self._table
        self._table.rows.append([])

    def _table_close(self, token: Token) -> Block | None:
        table, self._table = self._table, None
        return table


def _spans(tokens: Sequence[Any]) -> Iterator[Span]:
    bold = italic = 0
    addresses: list[str] = []
    for token in tokens:
        bold += {"strong_open": 1, "strong_close": -1}.get(token.type, 0)
        italic += {"em_open": 1, "em_close": -1}.get(token.type, 0)
        if token.type == "link_open":
            addresses.append(_address(token.attrGet("href")))
        text = _text(token, addresses)
        if text:
            yield Span(text, bold > 0, italic > 0, token.type == "code_inline")


def _text(token: Any, addresses: list[str]) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type == "link_close":
        address = addresses.pop()
        return f" ({address})" if address else ""
    return str(token.content) if token.type in ("text", "code_inline", "image") else ""


def _address(href: Any) -> str:
    """A link as it is printed."""
    try:
        return str(href) if urlsplit(str(href)).scheme in SCHEMES else ""
    except ValueError:
        return ""
