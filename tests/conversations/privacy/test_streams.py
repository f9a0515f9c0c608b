"""Running answers: whatever the pieces, what was given out is a prefix of the whole text's redacted form."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.privacy import Screen, Search
from conversations.privacy.patterns import REACH
from tests.conversations.privacy import test_cards, test_ssn
from tests.conversations.privacy.numbers import card_numbers, digits_of, social_security_numbers, written

# The alphabet of what matters to the patterns, so that short texts are full of near misses.
ALPHABET = "0123456789" * 3 + "4441111" + " -.\n+*x,af卡４１１" + "\u3000"
TABLE = [*test_cards.FOUND.values(), *test_ssn.FOUND.values()]
WORDS = ["SSN ", " social security", "4111 1111 ", "1111 1111", "123-45-6789", "123456789", "1 2 3 4 ", "a716-4466"]
NEAR_MISSES = st.lists(st.one_of(st.text(ALPHABET, max_size=12), st.sampled_from(WORDS)), max_size=40).map("".join)


def streamed(pieces: list[str]) -> str:
    """What a screen gives out; asserts that it waits for no more than it may."""
    screen, out = Screen(), []
    for number, piece in enumerate(pieces, 1):
        out.append(screen.feed(piece))
        assert Search().text("".join(pieces)).startswith("".join(out))
        assert screen.waiting <= REACH, number
    return "".join([*out, screen.end()])


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces."""
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=20)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_letter_by_letter(text: str, expected: str) -> None:
    assert streamed(list(text)) == expected
    assert streamed(list(f"{text}\n{text}")) == Search().text(f"{text}\n{text}")


@given(st.data())
def test_in_any_pieces(data: st.DataObject) -> None:
    text = data.draw(NEAR_MISSES)
    assert streamed(data.draw(cut(text))) == Search().text(text)


@given(card_numbers(), social_security_numbers(), st.data())
def test_no_number_goes_out(number: str, ssn: tuple[str, str, str], data: st.DataObject) -> None:
    text = f"{data.draw(NEAR_MISSES)}x{data.draw(written(number))}x, {'-'.join(ssn)}卡{data.draw(NEAR_MISSES)}"
    out = digits_of(streamed(data.draw(cut(text))))
    assert number not in out
    assert "".join(ssn) not in out


@pytest.mark.parametrize("endless", ["1", "1 ", "41 ", "4111 ", "4111111111111111 ", "-", "a1", "123456789 "])
def test_nothing_waits_for_ever(endless: str) -> None:
    pieces = [endless] * 400
    screen = Screen()
    for piece in pieces:
        screen.feed(piece)
        assert screen.waiting <= REACH
    assert streamed(pieces) == Search().text("".join(pieces))


def test_plain_words_do_not_wait() -> None:
    screen = Screen()
    assert [screen.feed(piece) for piece in ("Hello ", "World, ", "it is 20", "24", ", and")] == [
        "Hello ", "World, ", "it is ", "", "2024, and",
    ]  # fmt: skip
    assert screen.end() == ""


def test_a_long_answer_costs_linear_time() -> None:
    """100,000 characters in pieces of four, all digits."""
    screen = Screen()
    begun = time.process_time()
    for _ in range(25_000):
        screen.feed("4111")
    assert time.process_time() - begun < 5
