"""From text to words, for what is stored and for what is asked alike.

Words are runs of letters, marks and digits; `getUserById` is a word and its parts as well; what is joined by
punctuation (`user@example.com`, `get_user`, `10.0.0.1`) is its parts. Scripts that put no spaces between words
(Chinese, Japanese, Thai …) and Korean are cut into single characters and pairs of neighbours. Case and
compatibility forms do not matter (Unicode NFKC and case folding), nor do the endings of English words.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from operator import add
from typing import NamedTuple

import regex

from conversations import erasures
from conversations.search.stems import stem

# A change here, or in what follows from it, is a new number: entries of another version are made anew
# (`manage.py reindex_search`).
VERSION = 4

_SPACELESS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー]"
_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{_SPACELESS}]"
_RUN = regex.compile(rf"(?V1){_SPACELESS}[{_SPACELESS}\p{{M}}]*")
# A word, with what belongs to it in `don't`, `C#` and `C++`; or a pictogram.
_WORD = rf"{_LETTER}+(?:['’]{_LETTER}+)*(?:[+#]{{1,2}}(?![\p{{L}}\p{{N}}]))?|\p{{Emoji_Presentation}}"
_PIECE = regex.compile(rf"(?V1){_RUN.pattern.removeprefix('(?V1)')}|{_WORD}")
# The same two where all is ASCII, which Python's own engine finds four times as fast.
_ASCII_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ASCII_PIECE = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*(?:[+#]{1,2}(?![A-Za-z0-9]))?")
# The parts of `getUserById`, `HTTPServer`, `error404`.
_PART = regex.compile(r"\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{M}]+|\p{N}+")
_CLUSTER = regex.compile(r"\X")
# Longer words are rare, and may be very long.
_CACHED_LENGTH = 40


class Word(NamedTuple):
    """What stands in a text from `start` to `end` (code points): `exact` as it is, `term` as it is looked for.

    `main` words follow one another; the others are parts of them, and pairs of neighbours.
    """

    exact: str
    term: str
    start: int
    end: int
    main: bool = True


def normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def folded(text: str) -> str:
    """Without case and compatibility forms."""
    return text.lower() if text.isascii() else normal(normal(text).casefold())


def terms(text: str) -> list[str]:
    """All that `text` can be found by, each once, in about the order in which they come."""
    pieces = dict.fromkeys(_pieces(text))
    found = [_known_terms(piece) if len(piece) <= _CACHED_LENGTH else _find_terms(piece) for piece in pieces]
    return list(dict.fromkeys(chain.from_iterable(found)))


def counts(text: str) -> Counter[str]:
    """How often each term is in `text`."""
    found: Counter[str] = Counter()
    for piece, times in Counter(_pieces(text)).items():
        if _RUN.match(piece):
            found.update(_repeated(_neighbours(piece), times))
        else:
            for word in _forms(piece):
                found[word.term] += times
    return found


def _pieces(text: str) -> list[str]:
    return _ASCII_PIECE.findall(text) if text.isascii() else _PIECE.findall(normal(text))


def words(text: str) -> list[Word]:
    """The words of `text` in order, with their places in it."""
    found = list(_words(normal(text)))
    if unicodedata.is_normalized("NFKC", text):
        return found
    places = _places(text)
    last = len(places) - 1
    return [one._replace(start=places[min(one.start, last)], end=places[min(one.end, last)]) for one in found]


def asked(text: str) -> list[Word]:
    """What to look for so as to find `text` (in normal form NFKC): its words, and the pairs of neighbours of a
    run without spaces."""
    found: list[Word] = []
    for match in _PIECE.finditer(text):
        at, piece = match.start(), match[0]
        cut = _asked_of_run(piece) if _RUN.match(piece) else _forms(piece)[:1]
        found += [one._replace(start=at + one.start, end=at + one.end) for one in cut]
    return found


def _asked_of_run(run: str) -> list[Word]:
    found = list(_characters(run))
    return [word for word in found if not word.main] or found


def _words(text: str) -> Iterator[Word]:
    for match in _PIECE.finditer(text):
        at, piece = match.start(), match[0]
        for one in _characters(piece) if _RUN.match(piece) else _forms(piece):
            yield one._replace(start=at + one.start, end=at + one.end)


def _places(text: str) -> list[int]:
    """For every code point of the normalised text, and its end, where it comes from in `text`."""
    places: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        places += [cluster.start()] * len(normal(cluster[0]))
    return [*places, len(text)]


def _neighbours(run: str) -> Counter[str]:
    """Each character, and each pair of neighbours."""
    found = Counter(run)
    found.update(map(add, run, run[1:]))
    return found


def _repeated(found: Counter[str], times: int) -> Counter[str]:
    return found if times == 1 else Counter({term: count * times for term, count in found.items()})


def _characters(run: str) -> Iterator[Word]:
    for place, character in enumerate(run):
        yield Word(character, character, place, place + 1)
        if place + 1 < len(run):
            pair = run[place : place + 2]
            yield Word(pair, pair, place, place + 2, main=False)


def _find_terms(piece: str) -> tuple[str, ...]:
    run = not piece.isascii() and _RUN.match(piece)
    return tuple(_neighbours(piece)) if run else tuple([word.term for word in _find_forms(piece)])


def _forms(piece: str) -> tuple[Word, ...]:
    return _known_forms(piece) if len(piece) <= _CACHED_LENGTH else _find_forms(piece)


def _find_forms(piece: str) -> tuple[Word, ...]:
    """The word itself, then its parts where it has several."""
    whole = _plain(piece)
    found = {Word(whole, stem(whole), 0, len(piece))}
    parts = list((_ASCII_PART if piece.isascii() else _PART).finditer(piece))
    for part in parts if len(parts) > 1 or piece[-1] in "+#" else ():
        exact = _plain(part[0])
        if len(exact) > 1 or len(parts) == 1:
            found.add(Word(exact, stem(exact), part.start(), part.end(), main=False))
    return tuple(sorted(found, key=lambda word: (not word.main, word.start)) if len(found) > 1 else found)


_known_forms, _known_terms = lru_cache(65536)(_find_forms), lru_cache(65536)(_find_terms)
# Words are kept for all conversations together.
erasures.FORGETTERS += [lambda _: _known_forms.cache_clear(), lambda _: _known_terms.cache_clear()]


def _plain(word: str) -> str:
    """Without case and apostrophes: `Don’t` is `dont`, `user's` is `user`."""
    plain = folded(word)
    if "'" in plain or "’" in plain:
        plain = plain.replace("’", "'").removesuffix("'s").replace("'", "")
    return plain or word
