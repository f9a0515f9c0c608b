"""US social security numbers: area, group and serial, `AAA-GG-SSSS`.

Never assigned, so not taken for one: area 000, 666 and 900 to 999, group 00, serial 0000
(https://www.ssa.gov/employer/randomizationfaqs.html). There is no check digit: nine digits in a row are one
only where a word nearby says so.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from conversations.privacy import digits
from conversations.privacy.digits import DASHES, DOTS, INVISIBLE, MARKDOWN, SPACES

_MARKS = rf"[{MARKDOWN}{INVISIBLE}]{{0,3}}"
# The same mark in both places.
_SEPARATED = re.compile(
    rf"(?<!\d)(\d{{3}}){_MARKS}([{DASHES}{DOTS}{SPACES}]){_MARKS}(\d{{2}}){_MARKS}\2{_MARKS}(\d{{4}})(?!\d)"
)
_PLAIN = re.compile(r"(?<!\d)(\d{3})(\d{2})(\d{4})(?!\d)")
_WORD = re.compile(
    r"(?<![A-Za-z])(?:ssns?|ss#|soc(?:ial)?[\s.\-]{0,3}sec(?:urity)?)(?![A-Za-z])|社[会會]安全|社安|社会保障|社會保障",
    re.IGNORECASE,
)
DIGITS = 9
# Characters between a number and the word that tells what it is, at most; and how long the word is, with some room.
NEARBY = 40
WORD_LENGTH = 20


class SocialSecurityNumbers:
    """The pattern `us_ssn`."""

    name = "us_ssn"

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where there are social security numbers."""
        if not digits.enough(text, least=DIGITS):
            return []
        plain = list(_plain(text))
        words = [match.span() for match in _WORD.finditer(text)] if plain else []
        return [*_separated(text), *_near(words, plain)]

    def open_from(self, text: str) -> int:
        """Where the number begins that more text could make one, or a word behind it."""
        near = max(0, len(text) - NEARBY - WORD_LENGTH - 10)
        undecided = [
            near + start for start, end in _plain(text[near:]) if near + end + NEARBY + WORD_LENGTH > len(text)
        ]
        return min([digits.open_from(text), *undecided])


def _separated(text: str) -> Iterator[tuple[int, int]]:
    for match in _SEPARATED.finditer(text):
        area, mark, group, serial = match.groups()
        if _is_assigned(area, group, serial) and not _goes_on(text, match.start(), match.end(), mark):
            yield match.span()


def _goes_on(text: str, start: int, end: int, mark: str) -> bool:
    """Whether this is the middle of something longer: more digits behind or before the same mark."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[-1:] == mark and before[0].isdecimal()) or (after[:1] == mark and after[-1].isdecimal())


def _plain(text: str) -> Iterator[tuple[int, int]]:
    """Nine digits in a row that could be one."""
    return (match.span() for match in _PLAIN.finditer(text) if _is_assigned(*match.groups()))


def _is_assigned(area: str, group: str, serial: str) -> bool:
    area, group, serial = map(digits.ascii_digits, (area, group, serial))
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _near(words: Sequence[tuple[int, int]], numbers: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The numbers with a word right before or behind them."""
    begins = [start for start, _ in words]
    for start, end in numbers:
        at = bisect_right(begins, start)
        if (at and start - words[at - 1][1] <= NEARBY) or (at < len(words) and words[at][0] - end <= NEARBY):
            yield start, end
