"""Usage of runs: token counts as providers report them, made safe, and added up."""

from collections.abc import Mapping
from typing import Any

Usage = dict[str, Any]

COUNTS = ("input_tokens", "output_tokens", "cached_tokens")
# What only we may say of a usage.
OURS = ("cost", "currency", "prices", "estimated")
# More than any model has, and little enough to be added up.
COUNT_MAX = 10**12
OTHERS_MAX = 10


def cleaned(given: Any) -> Usage | None:
    """What an assistant said of its usage: counts that can be relied on, and a few values beside them."""
    if not isinstance(given, Mapping):
        return None
    counts = {name: count(given.get(name)) for name in COUNTS if given.get(name) is not None}
    parts = [part for one in _list(given.get("parts")) if (part := cleaned(one))]
    others = {name: value for name, value in given.items() if name not in (*COUNTS, *OURS, "parts") and _small(value)}
    kept = dict(list(others.items())[:OTHERS_MAX])
    estimated = {"estimated": True} if given.get("estimated") is True else {}
    return {**counts, **kept, **estimated, **({"parts": parts} if parts else {})}


def count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    real = isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, 0), COUNT_MAX) if real else 0


def added(*usages: Mapping[str, Any] | None) -> Usage | None:
    """The usage of several calls together; None where none of them says anything."""
    given = [one for one in usages if one]
    if not given:
        return None
    names = [name for name in COUNTS if any(name in one for one in given)]
    total: Usage = {name: sum(count(one.get(name)) for one in given) for name in names}
    if any(one.get("estimated") for one in given):
        total["estimated"] = True
    if any(one.get("parts") for one in given):
        total["parts"] = [part for one in given for part in _list(one.get("parts")) or [dict(one)]]
    return total


def part(assistant: str, usage: Mapping[str, Any] | None) -> Usage | None:
    """What another assistant used for this one, to be added: priced as that assistant's."""
    known = cleaned(usage)
    return {**known, "parts": known.get("parts") or [{**known, "assistant": assistant}]} if known else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _small(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 100)
