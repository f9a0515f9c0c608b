"""What a text is cut into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.search.words import asked, normal, terms, words

TEXTS = (
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
    | st.text("aB1 _-.'数据ｶﾞéﬁ①한", max_size=30)
    | st.text("aB1 _-.'+#\n", max_size=30)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, WORLD!", {"hello", "world"}),
        ("getUserById", {"getuserbyid", "get", "user", "by", "id"}),
        ("HTTPServer error404", {"httpserver", "http", "server", "error404", "error", "404"}),
        ("get_user alice@example.com", {"get", "user", "alic", "exampl", "com"}),
        ("C++ and C#", {"c++", "c", "and", "c#"}),
        ("ＦＵＬＬ ｗｉｄｔｈ ﬁne", {"full", "width", "fin"}),
        ("数据库", {"数", "据", "库", "数据", "据库"}),
        ("Redis超时", {"redis", "超", "时", "超时"}),
        ("ｶﾞｽ", {"ガ", "ス", "ガス"}),
        ("E\u0301cole école", {"école"}),
        ("... !? \n", set()),
        ("🎉 done", {"🎉", "don"}),
    ],
)
def test_cases(text: str, expected: set[str]) -> None:
    assert set(terms(text)) == expected


@given(TEXTS)
def test_words_stand_where_they_say(text: str) -> None:
    for word in words(text):
        assert 0 <= word.start <= word.end <= len(text)
        if text.isascii():
            place = text[word.start : word.end].lower()
            assert word.exact in (place, place.removesuffix("'s").replace("'", ""))


@given(TEXTS)
def test_words_and_terms_are_the_same(text: str) -> None:
    assert {word.term for word in words(text)} == set(terms(text))


@given(TEXTS)
def test_what_is_asked_for_is_there(text: str) -> None:
    assert {word.term for word in asked(normal(text))} <= set(terms(text))
