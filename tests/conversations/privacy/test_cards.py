"""Numbers of payment cards: found however people write them, and nothing else taken for one."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conversations.privacy import Search
from conversations.privacy.cards import SCHEMES, luhn
from tests.conversations.privacy.numbers import card_numbers, digits_of, written

# Numbers that the schemes publish for tests.
NUMBERS = {
    "visa": "4111111111111111",
    "visa, 13 digits": "4222222222222",
    "visa, 19 digits": "4000000000000000006",
    "mastercard": "5555555555554444",
    "mastercard, 2-series": "2223003122003222",
    "american express": "378282246310005",
    "diners club": "30569309025904",
    "diners club, 16 digits": "3600000000000008",
    "discover": "6011111111111117",
    "jcb": "3530111333300000",
    "unionpay": "6200000000000005",
    "unionpay, 19 digits": "6205500000000000004",
    "maestro": "6759649826438453",
    "mir": "2200000000000004",
    "rupay": "6080000000000000",
    "troy": "9792000000000003",
}

FOUND = {
    "nothing around": ("4111111111111111", "[REDACTED]"),
    "in a sentence": ("My card is 4111 1111 1111 1111, ok?", "My card is [REDACTED], ok?"),
    "dashes": ("4111-1111-1111-1111", "[REDACTED]"),
    "dots": ("4111.1111.1111.1111.", "[REDACTED]."),
    "underscores": ("4111_1111_1111_1111", "[REDACTED]"),
    "long dashes": ("4111–1111—1111−1111", "[REDACTED]"),
    "mixed": ("4111 1111-1111.1111", "[REDACTED]"),
    "two spaces": ("4111  1111  1111  1111", "[REDACTED]"),
    "spaces around dashes": ("4111 - 1111 - 1111 - 1111", "[REDACTED]"),
    "no-break and thin spaces": ("4111\u00a01111\u20091111\u202f1111", "[REDACTED]"),
    "invisible characters": ("4111\u200b1111\u00ad1111\u20601111", "[REDACTED]"),
    "as on an amex": ("3782 822463 10005", "[REDACTED]"),
    "as on a diners": ("3056-930902-5904", "[REDACTED]"),
    "19 digits in fours": ("4000 0000 0000 0000 006", "[REDACTED]"),
    "every digit by itself": ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[REDACTED]"),
    "in pairs": ("41 11 11 11 11 11 11 11", "[REDACTED]"),
    "in threes": ("411 111 111 111 111 1", "[REDACTED]"),
    "irregular, by itself": ("card 411111 1111 111111!", "card [REDACTED]!"),
    "broken by a line": ("4111 1111\n1111 1111", "[REDACTED]"),
    "chinese around": ("我的卡号是4111111111111111谢谢", "我的卡号是[REDACTED]谢谢"),
    "chinese around, in groups": ("卡号：4111 1111 1111 1111。", "卡号：[REDACTED]。"),
    "full width": ("卡号４１１１１１１１１１１１１１１１。", "卡号[REDACTED]。"),
    "full width, in groups": ("４１１１－１１１１－１１１１－１１１１", "[REDACTED]"),
    "full width, ideographic spaces": ("４１１１　１１１１　１１１１　１１１１", "[REDACTED]"),
    "arabic digits": ("٤١١١١١١١١١١١١١١١", "[REDACTED]"),
    "japanese middle dots": ("4111・1111・1111・1111", "[REDACTED]"),
    "bold": ("**4111111111111111**", "**[REDACTED]**"),
    "code": ("`4111 1111 1111 1111`", "`[REDACTED]`"),
    "bold within": ("4111 **1111** 1111 1111", "[REDACTED]"),
    "escaped": (r"4111\-1111\-1111\-1111", "[REDACTED]"),
    "in a link": ("[4111111111111111](https://a.example/?n=4111111111111111)", "[[REDACTED]](https://a.example/?n=[REDACTED])"),
    "in a table": ("| 4111111111111111 | 5555555555554444 |", "| [REDACTED] | [REDACTED] |"),
    "an item of a list": ("1.4111111111111111\n2.5555555555554444", "1.[REDACTED]\n2.[REDACTED]"),
    "letters around": ("CARD4111111111111111VISA", "CARD[REDACTED]VISA"),
    "a number in front": ("2 cards: 1 4111 1111 1111 1111", "2 cards: 1 [REDACTED]"),
    "a number behind": ("4111 1111 1111 1111 12/27 123", "[REDACTED] 12/27 123"),
    "two in a row": ("4111 1111 1111 1111 5555 5555 5555 4444", "[REDACTED] [REDACTED]"),
    "a plus in front": ("+4111 1111 1111 1111", "+[REDACTED]"),
    "in JSON": ('{"card":"4111111111111111"}', '{"card":"[REDACTED]"}'),
}  # fmt: skip

NOT_FOUND = {
    "wrong check digit": "4111 1111 1111 1112",
    "no scheme's range": "1234567812345670",
    "no scheme's length": "411111111111116",
    "digits attached": "94111111111111111",
    "a UUID": "550e8400-e29b-41d4-a716-446655440000",
    "a UUID of digits": "41111111-1111-4111-8111-111111111111",
    "the beginning of a UUID": "62000000-0000-0005-a716-446655440000",
    "a UUID without dashes": "550e8400e29b41d4a716446655440000",
    "a digest": "e3b0c44298fc1c149afb4111111111111111f4c8996fb92427ae41e4649b934ca4",
    "a date and time": "2024-11-21 03:08:43.123456",
    "a compact time": "20241121030843123",
    "milliseconds": "1732158523123",
    "nanoseconds": "1732158523123456789",
    "a range of dates": "4.1.2024 - 14.1.2024",
    "an order": "Order 2024112100123456",
    "an order with letters": "ORD-2024-0004-1111-1111",
    "telephones": "+1 415 555 0132, +49 151 23456789, +86 138 0013 8000, (555) 123-4567, 0049 30 901820",
    "telephones in a row": "13800138000 13900139000 13700137000",
    "an IP address": "192.168.100.200 10.0.0.1 2001:db8:85a3::8a2e:370:7334",
    "an IBAN": "DE89 3704 0044 0532 0130 00",
    "a SIM": "8931440400000000000",
    "an IMEI": "490154203237518",
    "an ISBN": "978-3-16-148410-0",
    "a decimal fraction": "0.4111111111111111 and 3.4111111111111111",
    "an amount": "4,111,111,111,111,111.00",
    "a column of years": "2021\n2022\n2023\n2024\n2025",
    "a column of numbers": "4111\n1111\n1111\n1111",
    "cells of a table": "4111\t1111\t1111\t1111",
    "cells of a Markdown table": "| 4111 | 1111 | 1111 | 1111 |",
    "small numbers": "4 1 11 1 1 11 1 1 1 11 11 1",
    "many digits": "3.14159265358979323846264338327950288419716939937510",
    "scores": "5 4 3 5 5 4 4 5 3 5 4 4 4 5 3 5 4 4 4 5 3 5 5",
    "a snowflake": "1765432109876543210",
    "words": "four one one one",
}  # fmt: skip


def redacted(text: str) -> str:
    return Search().text(text)


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_every_scheme(number: str) -> None:
    assert redacted(number) == redacted(f"卡{number}号")[1:-1] == "[REDACTED]"


@pytest.mark.parametrize(("text", "expected"), FOUND.values(), ids=FOUND)
def test_found(text: str, expected: str) -> None:
    search = Search()
    assert search.text(text) == expected
    assert set(search.found) == {"credit_card"}


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_not_found(text: str) -> None:
    assert redacted(text) == text
    assert redacted(f"编号{text}的") == f"编号{text}的"


def test_a_number_of_a_card_in_a_number_of_another_leaves_nothing() -> None:
    """Where two readings overlap, all of it goes."""
    assert redacted("4242 4242 4242 4242 4242 4242") == "[REDACTED]"


def test_check_digits() -> None:
    assert luhn(b"79927398713")
    assert [digit for digit in range(10) if luhn(b"7992739871%d" % digit)] == [3]


def test_the_table_of_schemes_is_sound() -> None:
    for ranges in SCHEMES.values():
        for first, last, lengths in ranges:
            assert 1000 <= first <= last <= 9999
            assert set(lengths) <= set(range(13, 20))


@given(card_numbers(), st.data(), st.text(max_size=30), st.text(max_size=30))
def test_a_card_in_any_text_is_taken_out(number: str, data: st.DataObject, before: str, after: str) -> None:
    """But for what makes it another number, or a telephone's."""
    assume(not number_goes_on(before, after))
    card = data.draw(written(number))
    text = redacted(f"{before}{card}{after}")
    assert card not in text
    assert number not in digits_of(text)


def number_goes_on(before: str, after: str) -> bool:
    return (
        before[-1:].isdecimal()
        or after[:1].isdecimal()
        or before[-1:] in ("+", "\uff0b")
        or before[-1:] in (".", "\uff0e")
    )


HARD = {
    "one number": "4",
    "groups of four": "4111 ",
    "cards": "4111 1111 1111 1111 ",
    "cards in a row": "4111111111111111 ",
    "cards with dashes": "4111-1111-1111-1111-",
    "single digits": "4 1 1 1 ",
    "threes": "411 ",
    "eights": "41111111 ",
    "hexadecimal": "4111111111111111a",
    "gaps": "4      ",
    "gaps alone": "-",
    "social security numbers": "123-45-6789 SSN ",
    "nine digits": "SSN 123456789 ",
    "the words alone": "social ",
}


@pytest.mark.parametrize("piece", HARD.values(), ids=HARD)
def test_time_grows_as_the_text_does(piece: str) -> None:
    """Four times the text takes some four times as long; an expression that goes back takes sixteen times and more.
    The best of five counts, of this thread alone, because the machine has other things to do."""

    def took(length: int) -> float:
        text = (piece * length)[:length]
        times = []
        for _ in range(5):
            begun = time.thread_time()
            redacted(text)
            times.append(time.thread_time() - begun)
        return min(times)

    assert took(100_000) < 9 * took(25_000)
