"""The ranges of seqs that summaries cover: a tree over the log, so that any past is a few ranges.

The smallest ranges are WIDTH seqs wide, each larger one is FAN of the next smaller. Where they begin and end
follows from arithmetic alone; so a summary is found by its numbers, an edit touches one range of each size,
and a log of n events is covered by at most (FAN - 1) * log(n) of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

WIDTH = 32
FAN = 4
# Of more than a thousand million events.
LEVELS = 13


@dataclass(frozen=True)
class Range:
    """Range number `index` of a `level`; level 0 is the smallest."""

    level: int
    index: int

    @property
    def width(self) -> int:
        return WIDTH * FAN**self.level

    @property
    def from_seq(self) -> int:
        return self.index * self.width + 1

    @property
    def to_seq(self) -> int:
        return (self.index + 1) * self.width

    @property
    def parts(self) -> list["Range"]:
        """The next smaller ranges that it consists of, in order; none for the smallest."""
        if self.level == 0:
            return []
        return [Range(self.level - 1, self.index * FAN + number) for number in range(FAN)]


def cover(before: int) -> list[Range]:
    """The largest ranges that lie in front of the seq `before`, in order; behind the last one, fewer than WIDTH
    seqs are left."""
    found, at, blocks = [], 0, (before - 1) // WIDTH
    while at < blocks:
        level = max(n for n in range(LEVELS) if at % FAN**n == 0 and at + FAN**n <= blocks)
        found.append(Range(level, at // FAN**level))
        at += FAN**level
    return found


def around(seq: int) -> Iterator[Range]:
    """The ranges that `seq` lies in, one of each size."""
    return (Range(level, (seq - 1) // (WIDTH * FAN**level)) for level in range(LEVELS))
