"""What a strategy is: it chooses, of what was said before, what fits into a budget.

The frame around it (building.py) does what holds for all of them: the system prompt and the last user message
are there, the budget is never exceeded, the order is that of the conversation. Strategies are listed in the
setting CONTEXT_STRATEGIES by name and dotted path, so anybody can add one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

# Why a message is not sent.
BUDGET = "budget"  # it did not fit into the tokens
WINDOW = "window"  # there are more messages than are sent
NOT_SUMMARISED = "not_summarised"  # its summary is still being made


@dataclass(frozen=True)
class Entry:
    """A message as a whole: with the tool calls that led to it and their results, which are never parted.

    `tokens` is all of it with the chat format's overhead. `anchor` is the seq of the message that it answers,
    or its own: an answer stands behind its question, even where others wrote in between.
    """

    id: UUID
    seq: int
    anchor: int
    role: str
    tokens: int
    pinned: bool = False

    @property
    def place(self) -> tuple[int, int]:
        return self.anchor, self.seq

    @property
    def is_kept(self) -> bool:
        """Whether it stays when others of its age go."""
        return self.pinned or self.role == "system"


@dataclass(frozen=True)
class Digest:
    """A summary of what is anchored from `from_seq` to `to_seq`; `text` in clear, `tokens` with the overhead."""

    from_seq: int
    to_seq: int
    text: str
    tokens: int

    @property
    def place(self) -> tuple[int, int]:
        return self.from_seq, 0


@dataclass(frozen=True)
class Budget:
    """What is left for the past: `tokens`, and `messages` of those that `limit` allows in all."""

    tokens: int
    messages: int
    limit: int


@dataclass(frozen=True)
class Choice:
    """What a strategy chose, in any order. `reasons` says of each message that it looked at and left out why;
    `beyond` of everything older."""

    entries: Sequence[Entry]
    digests: Sequence[Digest] = ()
    reasons: dict[int, str] = field(default_factory=dict)
    beyond: str = BUDGET


class Past(Protocol):
    """What was said before, without what is sent in any case. Reading more than is needed costs time."""

    def newest(self) -> Iterator[Entry]:
        """The messages, the newest first; read in batches."""

    def kept(self, limit: int) -> Sequence[Entry]:
        """The newest `limit` of the pinned messages and of the conversation's system messages, newest first."""

    def digests(self, before: int) -> Iterator[Digest]:
        """Summaries of what is anchored before `before`, the newest first; those that there are."""

    def reserve(self, before: int) -> int:
        """The tokens that such summaries may need."""


class Strategy(Protocol):
    """`tokens` and `messages` are what it may use where the caller does not say."""

    tokens: int
    messages: int

    def choose(self, past: Past, budget: Budget) -> Choice:
        """What fits. The same past and budget give the same choice."""


def names() -> list[str]:
    """The strategies that there are."""
    return list(settings.CONTEXT_STRATEGIES)


@cache
def get(name: str) -> Strategy:
    """The strategy of this name. Raises KeyError where there is none."""
    strategy: Strategy = import_string(settings.CONTEXT_STRATEGIES[name])()
    return strategy


def fill(entries: Iterable[Entry], room: int, *, skip: bool = False) -> tuple[list[Entry], list[Entry]]:
    """Those that fit into `room` tokens one after the other, and the rest: all from the first that does not fit,
    or with `skip` only those that do not."""
    taken: list[Entry] = []
    left: list[Entry] = []
    for entry in entries:
        if entry.tokens <= room and (skip or not left):
            taken.append(entry)
            room -= entry.tokens
        else:
            left.append(entry)
    return taken, left


def size(entries: Iterable[Entry | Digest]) -> int:
    return sum(entry.tokens for entry in entries)
