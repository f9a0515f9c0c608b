"""What somebody asks for: words, "phrases", and what must not be there (-word, -"phrase")."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import regex
from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import is_well_formed
from conversations.search.words import Word, asked, folded, normal, words

# Function words: a question is not about them. Looked for where there is nothing else.
STOP_WORDS = frozenset(
    """
    a about all am an and any are arent as at be been being but by can cant could did didnt do does doesnt doing done
    dont for from get got had has have having he her here him his how i if im in into is isnt it its ive may me might
    must my no nor not of off on onto or our out over please shall she should so some than that the their them then
    there these they this those to up us was wasnt we were what when where which while who whom whose why will with
    wont would you your
    """.split()  # noqa: SIM905  a list of words reads better as text
)
# A quoted phrase, or what stands between spaces; both perhaps refused. A closing quote may be missing.
_PIECE = regex.compile(
    r"(?P<refused>(?<!\S)-(?=[\p{L}\p{N}\"“]))?"
    r"(?:[\"“](?P<phrase>[^\"“”]*)[\"”]?|(?P<plain>[^\s\"“”]+))"
)
Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """`terms` are looked for, the more of them the better. All `phrases` (exact words in a row) must be there;
    no term of `without` may be, and none of `without_phrases`. `neighbours` stand side by side in the query,
    `text` is all of it as it was given."""

    terms: Phrase
    text: str = ""
    neighbours: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    without: frozenset[str] = frozenset()
    without_phrases: tuple[Phrase, ...] = ()


def parse(text: str) -> Query:
    """The query of a client. Raises Problem `invalid` where it is too long or has nothing to look for."""
    if len(text) > settings.SEARCH_QUERY_MAX_LENGTH:
        raise _invalid(f"At most {settings.SEARCH_QUERY_MAX_LENGTH} characters.")
    if "\0" in text or not is_well_formed(text):
        raise _invalid("This must be well-formed text without NUL characters.")
    query = _parsed(normal(text))
    if not query.terms:
        raise _invalid("There is nothing to look for: give at least one word.")
    return query


def alike(text: str) -> Query | None:
    """What finds texts that are about the same as `text`; None where it has no words."""
    text = normal(text)
    query = Query(_telling(asked(text), frozenset()), text, _neighbours(text))
    return query if query.terms else None


def _parsed(text: str) -> Query:
    wanted: list[Word] = []
    neighbours: list[str] = []
    phrases: list[Phrase] = []
    without: set[str] = set()
    without_phrases: list[Phrase] = []
    for match in _PIECE.finditer(text):
        piece = match["phrase"] if match["plain"] is None else match["plain"]
        found, exact = asked(piece), _exact(piece)
        if match["refused"] and len(found) == 1 and match["plain"]:
            without.add(found[0].term)
        elif match["refused"]:
            without_phrases.append(exact)
        else:
            wanted += found
            neighbours += _neighbours(piece)
            phrases += [exact] if match["plain"] is None else []
    phrases, without_phrases = [one for one in phrases if one], [one for one in without_phrases if one]
    terms = _telling(wanted, {word for phrase in phrases for word in phrase})
    return Query(terms, text, tuple(neighbours), tuple(phrases), frozenset(without), tuple(without_phrases))


def _telling(wanted: list[Word], quoted: Iterable[str]) -> Phrase:
    kept = [word for word in wanted if word.exact not in STOP_WORDS or word.exact in quoted] or wanted
    return tuple(dict.fromkeys(word.term for word in kept))[: settings.SEARCH_QUERY_WORDS]


def _neighbours(text: str) -> tuple[str, ...]:
    """Every two words that follow one another, as they are written."""
    return tuple(folded(text[one.start : other.end]) for one, other in pairwise(asked(text)))


def _exact(text: str) -> Phrase:
    return tuple(word.exact for word in words(text) if word.main)


def _invalid(sentence: str) -> Problem:
    return Problem("invalid", errors={"q": [sentence]})
