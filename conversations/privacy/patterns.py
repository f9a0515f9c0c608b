"""What is looked for: the patterns of PRIVACY_PATTERNS, and a ready-made one for regular expressions."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

# What a pattern finds in one place must not depend on what stands further away than this (characters).
REACH = 400


class Pattern(Protocol):
    """Something that must not be kept. Looks no further than REACH, takes linear time."""

    name: str

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        """Where it is found: (begin, end), in any order, overlapping or not."""

    def open_from(self, text: str) -> int:
        """From where on more text could change what is found; `len(text)` where nothing is open.

        So much of a running answer waits: at most REACH characters before the end.
        """


class RegularExpression:
    """Every match of a regular expression.

    `within` is the class of characters that a match consists of: a running answer waits while it ends with
    such characters, `longest` of them at most. What stands around a match may matter only within one character.
    """

    def __init__(self, name: str, expression: str, *, within: str = r"\S", longest: int = 100) -> None:
        assert longest <= REACH, f"a match is at most {REACH} characters long"
        self.name = name
        self._expression = re.compile(expression)
        self._tail = re.compile(rf"{within}{{1,{longest}}}\Z")
        self._longest = longest

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        return (match.span() for match in self._expression.finditer(text))

    def open_from(self, text: str) -> int:
        tail = self._tail.search(text, max(0, len(text) - self._longest))
        return tail.start() if tail else len(text)


def patterns() -> tuple[Pattern, ...]:
    """The patterns of PRIVACY_PATTERNS. Raises ImportError, TypeError."""
    return _loaded(tuple(settings.PRIVACY_PATTERNS))


@cache
def _loaded(paths: tuple[str, ...]) -> tuple[Pattern, ...]:
    return tuple(map(_load, paths))


def _load(path: str) -> Pattern:
    found = import_string(path)
    pattern = found() if isinstance(found, type) else found
    missing = [name for name in ("name", "spans", "open_from") if not hasattr(pattern, name)]
    if missing:
        raise TypeError(f"{path} is no pattern: it has no {', '.join(missing)}")
    return cast(Pattern, pattern)
