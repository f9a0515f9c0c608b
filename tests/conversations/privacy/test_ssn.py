"""US social security numbers: by their separators, or by a word nearby."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conversations.privacy import Search
from tests.conversations.privacy.numbers import digits_of, full_width, social_security_numbers

FOUND = {
    "dashes": ("My number is 123-45-6789.", "My number is [REDACTED]."),
    "spaces": ("123 45 6789", "[REDACTED]"),
    "dots": ("123.45.6789", "[REDACTED]"),
    "long dashes": ("123–45–6789", "[REDACTED]"),
    "chinese around": ("我的社保号码是123-45-6789谢谢", "我的社保号码是[REDACTED]谢谢"),
    "full width": ("号码１２３－４５－６７８９。", "号码[REDACTED]。"),
    "bold": ("**123-45-6789**", "**[REDACTED]**"),
    "bold within": ("123-**45**-6789", "[REDACTED]"),
    "escaped": (r"123\-45\-6789", "[REDACTED]"),
    "another number in front": ("no 5 123-45-6789, 7", "no 5 [REDACTED], 7"),
    "two": ("123-45-6789,219-09-9999", "[REDACTED],[REDACTED]"),
    "plain, the word in front": ("SSN: 123456789", "SSN: [REDACTED]"),
    "plain, the word behind": ("123456789 is my social security number", "[REDACTED] is my social security number"),
    "plain, in chinese": ("我的SSN是123456789，谢谢", "我的SSN是[REDACTED]，谢谢"),
    "plain, chinese words": ("社会安全号码１２３４５６７８９", "社会安全号码[REDACTED]"),
    "plain, several": ("SSNs 123456789, 219099999 (both)", "SSNs [REDACTED], [REDACTED] (both)"),
}

NOT_FOUND = {
    "area 000": "000-45-6789",
    "area 666": "666-45-6789",
    "area 9xx": "SSN 900-45-6789",
    "group 00": "123-00-6789",
    "serial 0000": "SSN 123-45-0000",
    "plain, no word": "Order 123456789",
    "plain, the word far away": "Your SSN is needed. " + "word " * 9 + "123456789",
    "ten digits": "SSN 1234567890",
    "another word": "lessn 123456789, classnumber",
    "two kinds of marks": "123-45.6789",
    "a date": "2024-11-21",
    "a telephone": "555-123-4567",
    "digits attached": "5123-45-6789",
    "a longer number": "1-123-45-6789-2",
    "a longer number with spaces": "078 05 1120 33",
    "a korean business": "123-45-67890",
    "a UUID": "12345678-1234-4567-8901-123456789012",
    "a version": "123.45.67",
}


def redacted(text: str) -> str:
    return Search().text(text)


@pytest.mark.parametrize(("text", "expected"), FOUND.values(), ids=FOUND)
def test_found(text: str, expected: str) -> None:
    search = Search()
    assert search.text(text) == expected
    assert set(search.found) == {"us_ssn"}


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_not_found(text: str) -> None:
    assert redacted(text) == text
    assert redacted(f"编号{text}的") == f"编号{text}的"


@given(social_security_numbers(), st.booleans(), st.text(max_size=30), st.text(max_size=30))
def test_one_in_any_text_is_taken_out(number: tuple[str, str, str], wide: bool, before: str, after: str) -> None:
    assume(not (before[-1:].isdecimal() or after[:1].isdecimal() or before[-1:] == "-" or after[:1] == "-"))
    written = "-".join(number)
    text = redacted(f"{before}{full_width(written) if wide else written}{after}")
    assert "".join(number) not in digits_of(text)


@given(social_security_numbers(), st.text(max_size=20), st.sampled_from(["SSN", "社会安全号", "social security"]))
def test_a_plain_one_near_the_word_is_taken_out(number: tuple[str, str, str], between: str, word: str) -> None:
    plain = "".join(number)
    assume(not between[:1].isalpha() and not between[-1:].isalpha())
    assume(not between[-1:].isdecimal() and not between[:1].isdecimal())
    assert plain not in redacted(f"{word}{between}{plain}")
    assert plain not in redacted(f"{plain}{between}{word}")
