"""Names of files: nothing that leads somewhere, nothing that looks like something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproject.lib.errors import Problem
from conversations.files.names import NAME_MAX_LENGTH, clean_name


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("minutes.txt", "minutes.txt"),
        ("会议 记录.txt", "会议 记录.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\plan.doc", "plan.doc"),
        ("/absolute", "absolute"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("zero\u200bwidth\ufeff.txt", "zerowidth.txt"),
        ("e\u0301.txt", "é.txt"),
        (" spaces .txt ", "spaces .txt"),
        (".profile", ".profile"),
        ("x" * 300 + ".txt", "x" * 251 + ".txt"),
        ("x" * 300, "x" * 255),
    ],
)
def test_cleaned(given_name: str, cleaned: str) -> None:
    assert clean_name(given_name) == cleaned


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/..", "\u202e", "/", "\x00"])
def test_nothing_left(name: str) -> None:
    with pytest.raises(Problem) as refused:
        clean_name(name)
    assert refused.value.code.name == "invalid"


@given(st.text(min_size=1, max_size=400))
def test_always_short_and_flat_and_the_same_when_cleaned_again(name: str) -> None:
    try:
        cleaned = clean_name(name)
    except Problem:
        return
    assert 0 < len(cleaned) <= NAME_MAX_LENGTH
    assert not set("/\\\r\n\0") & set(cleaned)
    assert clean_name(cleaned) == cleaned
