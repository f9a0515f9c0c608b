"""Numbers for property tests: cards of every scheme, social security numbers, and the ways people write them."""

from collections.abc import Iterable

from hypothesis import strategies as st

from conversations.privacy.cards import PRINTED, SCHEMES, luhn

RANGES = [one for ranges in SCHEMES.values() for one in ranges]
GAPS = [
    " ",
    "-",
    ".",
    "  ",
    " - ",
    "\u00a0",
    "\u2009",
    "\u200b",
    "\u2013",
    "\u2014",
    "\u3000",
    "\uff0d",
    "_",
    "** **",
    "・",
]


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """The number of a card of any scheme."""
    first, last, lengths = draw(st.sampled_from(RANGES))
    prefix, length = str(draw(st.integers(first, last))), draw(st.sampled_from(list(lengths)))
    body = prefix + draw(st.text("0123456789", min_size=length - 5, max_size=length - 5))
    return next(f"{body}{digit}" for digit in range(10) if luhn(f"{body}{digit}".encode()))


@st.composite
def written(draw: st.DrawFn, number: str) -> str:
    """A card's number as people write it: in one, in even groups of four or more, or as it is printed."""
    sizes = draw(st.sampled_from([*_even(len(number)), *(sizes for sizes in PRINTED if sum(sizes) == len(number))]))
    gaps = st.one_of(
        st.sampled_from(GAPS).map(lambda gap: [gap] * 5), st.lists(st.sampled_from(GAPS), min_size=5, max_size=5)
    )
    text = _joined(number, sizes, draw(gaps))
    return draw(st.sampled_from([text, full_width(text)]))


@st.composite
def social_security_numbers(draw: st.DrawFn) -> tuple[str, str, str]:
    area = draw(st.integers(1, 899).filter(lambda area: area != 666))
    return f"{area:03}", f"{draw(st.integers(1, 99)):02}", f"{draw(st.integers(1, 9999)):04}"


def full_width(text: str) -> str:
    return "".join(chr(ord(c) - 48 + 0xFF10) if c.isascii() and c.isdigit() else c for c in text)


def digits_of(text: str) -> str:
    return "".join(str(int(c)) if c.isdecimal() else "" for c in text)


def _even(length: int) -> Iterable[tuple[int, ...]]:
    yield (length,)
    for size in (4, 5, 6, 8):
        rest = length % size
        yield (size,) * (length // size) + ((rest,) if rest else ())


def _joined(number: str, sizes: Iterable[int], gaps: list[str]) -> str:
    text, at = "", 0
    for size, gap in zip(sizes, [*gaps, ""], strict=False):
        text += number[at : at + size] + gap
        at += size
    return text[: -len(gap)] if gap else text
