"""Frames of one room, encoded once and joined: every member in step is handed the same text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from realtime.hints import Item

# Joining puts a comma between frames and brackets around them.
PUNCTUATION = 2


@dataclass
class Batch:
    """Frames in order."""

    items: Sequence[Item]

    @cached_property
    def text(self) -> str:
        return joined([item.text for item in self.items])

    @cached_property
    def size(self) -> int:
        return size_of(self.text)

    @cached_property
    def last_seq(self) -> int:
        """The highest seq in it; 0 where it holds no event."""
        return max((item.seq for item in self.items), default=0)


def batches(items: Sequence[Item]) -> Iterator[Batch]:
    """`items` in batches that fit in BATCH_MAX_BYTES each (a larger frame goes alone)."""
    start, size = 0, 0
    for position, item in enumerate(items):
        more = size_of(item.text) + PUNCTUATION
        if size and size + more > settings.BATCH_MAX_BYTES:
            yield Batch(items[start:position])
            start, size = position, 0
        size += more
    if start < len(items):
        yield Batch(items[start:])


def size_of(text: str) -> int:
    """Bytes that `text` takes on the wire."""
    return len(text) if text.isascii() else len(text.encode())


def joined(texts: Sequence[str]) -> str:
    """Several frames as one message; an array is spliced in, not nested."""
    if len(texts) == 1:
        return texts[0]
    return f"[{','.join(text[1:-1] if text.startswith('[') else text for text in texts)}]"
