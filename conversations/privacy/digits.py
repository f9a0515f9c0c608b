"""Numbers as people write them: digits of any script in groups, with gaps between the groups."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

# What may stand between two groups of one number: spaces (no tabs, which separate cells), what is invisible,
# dashes, dots, line breaks, and the marks of Markdown; all of them as character classes.
SPACES = " \u00a0\u2000-\u200a\u202f\u205f\u3000"
INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
DASHES = r"\-\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d"
DOTS = r".\u00b7\u2022\u2027\u30fb\uff0e"
MARKDOWN = r"*_`~\\"
GAP_LENGTH = 6
GAP = rf"[{SPACES}{INVISIBLE}{DASHES}{DOTS}{MARKDOWN}\r\n]{{1,{GAP_LENGTH}}}"

# The most digits of a number that any of our patterns looks for; with its gaps it is not longer than LONGEST.
MOST_DIGITS = 19
LONGEST = MOST_DIGITS + (MOST_DIGITS - 1) * GAP_LENGTH

_RUN = re.compile(rf"\d++(?:{GAP}\d++)*+")
# No gap that any pattern allows is longer than this.
_NEAR = GAP.replace(f"{{1,{GAP_LENGTH}}}", f"{{0,{GAP_LENGTH + 1}}}+")
_GROUP = re.compile(r"\d+")
_OPEN = re.compile(rf"(?:{GAP})?\Z")


class Run:
    """Groups of digits with nothing but gaps between them, as long as possible: `text[start:end]`.

    `groups` are where each begins and ends, `sizes` their lengths, `digits` all digits in ASCII, and `offsets`
    how many of them come before each group, and at last how many there are.
    """

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end
        self.groups = [match.span() for match in _GROUP.finditer(text, start, end)]
        self.sizes = [end - start for start, end in self.groups]
        self.offsets = list(accumulate(self.sizes, initial=0))
        self.digits = ascii_digits("".join([text[start:end] for start, end in self.groups]))


def ascii_digits(digits: str) -> str:
    """The same digits in ASCII, whatever script they are in."""
    return digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)


def enough(text: str, *, least: int) -> bool:
    """Whether so many digits come close to one another at all: in most texts they do not, and need no closer look."""
    return _row(least).search(text) is not None


@cache
def _row(digits: int) -> re.Pattern[str]:
    return re.compile(rf"\d(?:{_NEAR}\d){{{digits - 1}}}")


def runs(text: str, *, least: int) -> Iterator[Run]:
    """The runs of a text that are at least so many characters long. Takes linear time."""
    for match in _RUN.finditer(text):
        if match.end() - match.start() >= least:
            yield Run(text, *match.span())


def open_from(text: str) -> int:
    """Where the number begins that the end of a text may be a part of; the text's length where it is none.

    At most MOST_DIGITS digits belong to it: what comes before them can be no part of it any more.
    """
    begin = max(0, len(text) - 2 * LONGEST)
    last = None
    for match in _RUN.finditer(text, begin):
        last = match
    if last is None or not _OPEN.match(text, last.end()):
        return len(text)
    found, digits = len(text), 0
    for start, end in reversed(Run(text, *last.span()).groups):
        digits += end - start
        if digits > MOST_DIGITS:
            break
        found = start
    return found
