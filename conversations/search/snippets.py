"""What is shown of a text that was found: an excerpt, and where in it the words of the query are."""

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass

from conversations.search.words import words

ELLIPSIS = "…"
Span = tuple[int, int]


@dataclass(frozen=True)
class Snippet:
    """`highlights` are `(start, end)` in code points of `text`, in order, apart from one another."""

    text: str
    highlights: list[Span]


def snippet(text: str, terms: Collection[str], length: int) -> Snippet:
    """The stretch of about `length` code points of `text` with the most of `terms`."""
    found = [(word.start, word.end, word.term) for word in words(text) if word.term in terms]
    start, end = _window(text, found, length)
    before, after = ELLIPSIS if start else "", ELLIPSIS if end < len(text) else ""
    moved = len(before) - start
    spans = [(begin + moved, stop + moved) for begin, stop, _ in found if start <= begin and stop <= end]
    return Snippet(before + _one_line(text[start:end]) + after, _joined(spans))


def _window(text: str, found: list[tuple[int, int, str]], length: int) -> Span:
    """Where the excerpt begins and ends: some words before the first of those that it is to show."""
    if len(text) <= length:
        return 0, len(text)
    starts = [begin for begin, _, _ in found]
    best = max(
        range(len(found)),
        key=lambda at: len({term for _, stop, term in found[at : _until(starts, at, length)]}),
        default=None,
    )
    begin = max(0, min(found[best][0] - length // 5, len(text) - length)) if best is not None else 0
    return _at_a_word(text, begin), min(len(text), begin + length)


def _until(starts: list[int], at: int, length: int) -> int:
    """How far the words reach that fit into one excerpt with word `at`."""
    return bisect_left(starts, starts[at] + length * 3 // 5, at)


def _at_a_word(text: str, begin: int) -> int:
    """The next beginning of a word, if there is one near."""
    space = text.find(" ", begin, begin + 20) if begin else -1
    return space + 1 if space >= 0 else begin


def _one_line(text: str) -> str:
    """Without line breaks, each replaced by one space, so that places stay."""
    return "".join(" " if character.isspace() else character for character in text)


def _joined(spans: list[Span]) -> list[Span]:
    """In order, and those that overlap or touch as one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined
