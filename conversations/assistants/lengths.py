"""How much text fits into one event, as it goes over the wire, and what of it can be stored."""

import json
from bisect import bisect_right
from typing import Any

import msgspec
from django.conf import settings


def size_as_json(text: str) -> int:
    """Bytes that `text` takes inside a JSON string."""
    return len(msgspec.json.encode(text)) - 2


def fitting(text: str, size: int) -> str:
    """As much of `text` from its beginning as takes at most `size` bytes as JSON."""
    if size_as_json(text) <= size:
        return text
    return text[: bisect_right(range(1, len(text) + 1), size, key=lambda length: size_as_json(text[:length]))]


def whole(text: str) -> tuple[str, str]:
    """What can be stored and sent of `text`, and the first half of a surrogate pair at its end, whose second
    half may come with the next piece. Other lone surrogates become U+FFFD."""
    half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
    rest = text[: len(text) - len(half)]
    return rest.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), half


def bounded(value: Any) -> Any:
    """`value`, or a cut text of it where its JSON is larger than STEP_MAX_BYTES."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text.encode()) <= settings.STEP_MAX_BYTES:
        return value
    return text.encode()[: settings.STEP_MAX_BYTES].decode(errors="ignore") + "…"
