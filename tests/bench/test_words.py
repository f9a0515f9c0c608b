"""Times as words."""

from bench.engine.words import WORD, stamp, word


def test_there_and_back() -> None:
    text = " ".join(map(word, (0, 123_456_789_012, 16**12 - 1)))
    assert list(map(stamp, WORD.finditer(text))) == [0, 123_456_789_012, 16**12 - 1]
    assert not any(letter.isdigit() for letter in text)
