"""JSON from outside that is stored as it is: bounded, and given back by PostgreSQL exactly as it came."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from chatproject.lib.errors import Problem

MAX_DEPTH = 20
MAX_KEYS = 100


def clean_object(field: str, value: Any, max_bytes: int) -> dict[str, Any]:
    """`value`, a JSON object for `field`. Raises Problem `invalid` or `too_large`."""
    if not isinstance(value, dict):
        raise Problem("invalid", errors={field: ["This must be a JSON object."]})
    if not is_bounded(value):
        raise Problem("invalid", errors={field: [f"At most {MAX_DEPTH} levels and {MAX_KEYS} keys."]})
    if not is_storable(value):
        raise Problem("invalid", errors={field: ["No NUL or lone surrogate in text, and numbers only up to 2^63."]})
    if len(msgspec.json.encode(value)) > max_bytes:
        raise Problem("too_large", f"{field} has at most {max_bytes} bytes.")
    return value


def is_bounded(value: Any) -> bool:
    """Whether `value` has at most MAX_DEPTH levels of objects and arrays, and each object MAX_KEYS keys."""
    return depth(value) <= MAX_DEPTH and _most_keys(value) <= MAX_KEYS


def depth(value: Any) -> int:
    return 1 + max(map(depth, _inside(value)), default=0) if isinstance(value, dict | list) else 0


def _most_keys(value: Any) -> int:
    own = len(value) if isinstance(value, dict) else 0
    return max(own, max(map(_most_keys, _inside(value)), default=0))


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def is_well_formed(text: str) -> bool:
    """Whether `text` is Unicode without lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL gives `value` back as it was: no NUL or lone surrogate, numbers up to 2^63."""
    return all(map(_is_storable, _leaves(value)))


def _leaves(value: Any) -> Iterator[Any]:
    """Every key, and every value that is no container."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _is_storable(leaf: Any) -> bool:
    if isinstance(leaf, str):
        return "\0" not in leaf and is_well_formed(leaf)
    return not isinstance(leaf, int | float) or abs(leaf) < 2**63
