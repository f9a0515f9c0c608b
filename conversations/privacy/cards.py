"""Numbers of payment cards: 13 to 19 digits, of a scheme's range and length, with a right check digit.

Structure and check digit (Luhn): ISO/IEC 7812-1. Ranges and lengths of the schemes: the table "Issuer
identification number" of Wikipedia's "Payment card number" (2024), as four digits, without what is out of use.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from conversations.privacy import digits
from conversations.privacy.digits import Run

LEAST_DIGITS = 13
# (first four digits from, to, lengths)
SCHEMES: dict[str, Sequence[tuple[int, int, Sequence[int]]]] = {
    "visa": [(4000, 4999, (13, 16, 19))],
    "mastercard": [(5100, 5599, (16,)), (2221, 2720, (16,))],
    "american express": [(3400, 3499, (15,)), (3700, 3799, (15,))],
    "diners club": [(3000, 3059, range(14, 20)), (3095, 3095, range(14, 20)), (3600, 3699, range(14, 20)),
                    (3800, 3999, range(14, 20))],
    "discover": [(6011, 6011, range(16, 20)), (6440, 6599, range(16, 20))],
    "jcb": [(3528, 3589, range(16, 20))],
    "unionpay": [(6200, 6299, range(16, 20)), (8100, 8199, range(16, 20))],
    "maestro": [(first, first, range(13, 20)) for first in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763)],
    "mir": [(2200, 2204, range(16, 20))],
    "rupay": [(6000, 6099, (16,)), (8200, 8299, (16,)), (5080, 5089, (16,))],
    "verve": [(5060, 5061, (16, 18, 19))],
    "troy": [(9792, 9792, (16,))],
}  # fmt: skip
# Groupings printed on cards that are not groups of one size.
PRINTED = ((4, 6, 5), (4, 6, 4))
# A telephone number has at most so many digits (ITU-T E.164), and begins with a plus.
TELEPHONE_DIGITS = 15
# UUIDs and digests: digits in them are no number of their own.
_IDENTIFIER = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])|[0-9a-f]{32,})", re.IGNORECASE
)
# So much after a number tells whether it stands in one.
IDENTIFIER_LENGTH = 36
_MORE_OF_ONE = re.compile(rf"[0-9a-f-]{{0,{IDENTIFIER_LENGTH}}}\Z", re.IGNORECASE)
_NEIGHBOURS = frozenset("abcdefABCDEF-")
# `1.4111…` is a decimal fraction, but at the beginning of a line the number of an item.
_FRACTION = re.compile(r"\d[.\uff0e]\Z")
_ITEM = re.compile(r"(?:\A|[\r\n])[ *_]*[1-9]\d{0,2}[.\uff0e]\Z")

_LENGTHS: dict[str, frozenset[int]] = {}
for ranges in SCHEMES.values():
    for low, high, lengths in ranges:
        for prefix in map(str, range(low, high + 1)):
            _LENGTHS[prefix] = _LENGTHS.get(prefix, frozenset()) | frozenset(lengths)

_VALUE = bytes(max(byte - 48, 0) % 10 for byte in range(256))
_DOUBLED = bytes(2 * value - 9 if value > 4 else 2 * value for value in _VALUE)


class CreditCards:
    """The pattern `credit_card`."""

    name = "credit_card"

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where there are numbers of cards."""
        if not digits.enough(text, least=LEAST_DIGITS):
            return []
        found = [span for run in digits.runs(text, least=LEAST_DIGITS) for span in _cards(run)]
        doubtful = any(
            text[start - 1 : start] in _NEIGHBOURS or text[end : end + 1] in _NEIGHBOURS for start, end in found
        )
        return _outside_identifiers(text, found) if doubtful else found

    def open_from(self, text: str) -> int:
        """Where the number begins that more text could make a card's, or a part of an identifier."""
        near = max(0, len(text) - IDENTIFIER_LENGTH - digits.LONGEST)
        ends = [span for run in digits.runs(text[near:], least=LEAST_DIGITS) for span in _cards(run)]
        undecided = [near + start for start, end in ends if _MORE_OF_ONE.match(text, near + end)]
        return min([digits.open_from(text), *undecided])


def luhn(number: bytes) -> bool:
    """Whether the last of these ASCII digits is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    return (sum(number[-1::-2].translate(_VALUE)) + sum(number[-2::-2].translate(_DOUBLED))) % 10 == 0


def _cards(run: Run) -> Iterator[tuple[int, int]]:
    """Cards among consecutive groups of a run."""
    if len(run.digits) < LEAST_DIGITS or _is_telephone(run):
        return
    number, offsets = run.digits.encode(), run.offsets
    for first, size in enumerate(run.sizes):
        if size > digits.MOST_DIGITS or (size < 4 and (first or len(number) > digits.MOST_DIGITS)):
            continue
        begin = offsets[first]
        lengths = _LENGTHS.get(run.digits[begin : begin + 4], ())
        last = first + 1
        while lengths and last < len(offsets) and offsets[last] - begin <= digits.MOST_DIGITS:
            if offsets[last] - begin in lengths and luhn(number[begin : offsets[last]]) and _written(run, first, last):
                yield run.groups[first][0], run.groups[last - 1][1]
            last += 1


def _written(run: Run, first: int, last: int) -> bool:
    """Whether people write a card's number in such groups.

    Small or irregular groups only where nothing else stands in the run: else every table of numbers and
    every range of dates would hold cards.
    """
    start, end = run.groups[first][0], run.groups[last - 1][1]
    sizes = run.sizes[first:last]
    if len(sizes) == 1:
        return not _is_fraction(run.text, start)
    if run.text.count("\n", start, end) > 1:
        return False
    whole = last - first == len(run.sizes)
    even = all(size == sizes[0] for size in sizes[:-1]) and sizes[-1] <= sizes[0]
    return tuple(sizes) in PRINTED or (even and (whole or sizes[0] > 3)) or (whole and min(sizes[:-1]) > 2)


def _is_telephone(run: Run) -> bool:
    plus = run.text[max(0, run.start - 1) : run.start] in ("+", "\uff0b")
    return plus and len(run.digits) <= TELEPHONE_DIGITS and tuple(run.sizes) not in PRINTED


def _is_fraction(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start]
    return bool(_FRACTION.search(before)) and not _ITEM.search(before)


def _outside_identifiers(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    identifiers = [match.span() for match in _IDENTIFIER.finditer(text)]
    begins = [start for start, _ in identifiers]

    def inside(start: int, end: int) -> bool:
        at = bisect_right(begins, start) - 1
        return at >= 0 and end <= identifiers[at][1]

    return [(start, end) for start, end in spans if not inside(start, end)]
