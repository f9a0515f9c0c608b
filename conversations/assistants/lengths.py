"""How much text fits into one event, as it goes over the wire."""

from bisect import bisect_right

import msgspec


def size_as_json(text: str) -> int:
    """Bytes that `text` takes inside a JSON string."""
    return len(msgspec.json.encode(text)) - 2


def fitting(text: str, size: int) -> str:
    """As much of `text` from its beginning as takes at most `size` bytes as JSON."""
    if size_as_json(text) <= size:
        return text
    return text[: bisect_right(range(1, len(text) + 1), size, key=lambda length: size_as_json(text[:length]))]
