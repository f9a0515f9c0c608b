"""English words without their endings, so that `timeouts`, `migrating` and `connection` find their relatives.

Few rules that never change, rather than a library's: an index that was written by other rules finds less. They
follow steps 1a, 1b and 4 of M. F. Porter, An algorithm for suffix stripping (1980), without the rarer endings;
how they do is judged by tests/conversations/search/test_judgements.py.
"""

import re

_ENGLISH = re.compile(r"[a-z]{4,}")
_VOWEL = re.compile(r"[aeiouy]")
_DOUBLED = re.compile(r"([bdfgkmnprtv])\1$")
_LEAST = 3


def stem(word: str) -> str:
    """`word` (lower case) without plural, -ed, -ing, -ion, -ment and a last -e; other words as they are."""
    if not _ENGLISH.fullmatch(word):
        return word
    singular = _singular(word)
    shorter = _without(_without(_verb(singular), "ment", ""), "ion", "st")
    return shorter[:-1] if shorter.endswith("e") and len(shorter) > _LEAST else shorter


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word.removesuffix("s")


def _verb(word: str) -> str:
    """Without -ed and -ing: `stopped` is `stop`, `caching` is `cach`."""
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= _LEAST and _VOWEL.search(rest) and not word.endswith("eed"):
            return _DOUBLED.sub(r"\1", rest)
    return word


def _without(word: str, ending: str, after: str) -> str:
    """Without `ending`, where enough remains, that ends in a letter of `after`."""
    rest = word.removesuffix(ending)
    fits = rest != word and len(rest) > _LEAST and (not after or rest[-1] in after)
    return rest if fits else word
