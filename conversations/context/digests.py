"""Summaries as contexts show them, and those that need no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from conversations import event_types, keys
from conversations.context import tokens
from conversations.context.base import Digest
from conversations.context.extract import Said, extract
from conversations.context.ranges import Range
from conversations.models import Summary

MARK = " […]"
# The field that a summary's envelope is bound to.
FIELD = "summary"


class Numbered(Protocol):
    """The seqs that something covers."""

    @property
    def from_seq(self) -> int: ...

    @property
    def to_seq(self) -> int: ...


@dataclass(frozen=True)
class Span:
    """Any part of a conversation."""

    from_seq: int
    to_seq: int


@dataclass(frozen=True)
class Made:
    """A summary to be stored; `text` is empty where nothing was said, `author` where no assistant wrote it."""

    range: Range
    text: str
    author: str = ""


def shown(span: Numbered, text: str) -> str:
    """A summary as the model is told it."""
    return f"Summary of what was said earlier (messages {span.from_seq} to {span.to_seq}):\n{text}"


def digest(span: Numbered, text: str, encoding: str, known: int | None = None) -> Digest:
    """`known` is its number of tokens where that was counted before."""
    whole = shown(span, text)
    size = known if known is not None else tokens.count(whole, encoding) + tokens.PER_MESSAGE
    return Digest(span.from_seq, span.to_seq, whole, size)


def extracted(said: Sequence[Said], encoding: str) -> str:
    """A summary of (who, text) in order, made of their own sentences."""
    limit = settings.CONTEXT_SUMMARY_TOKENS - tokens.count(shown(Span(10**6, 10**6), ""), encoding)
    text = extract(said, limit, lambda line: tokens.count(line, encoding))
    return tokens.cut(text, encoding, limit, MARK)


def opened(row: Summary) -> str:
    """The text of a stored summary. Raises CryptoError, Problem `not_found` where its key is gone."""
    text: str = keys.of(row.conversation_id).open(row.text, event_types.context(row.conversation_id, row.id, FIELD))
    return text
