"""JSON documents of any size, one value after the other in memory; hostile ones are refused in time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import ijson

from chatproject.lib.errors import Problem

# Levels of nesting, and values (numbers, texts, keys, brackets) that one conversation may have: what is decoded
# takes about 100 bytes of memory for each.
MAX_DEPTH = 64
MAX_VALUES = 3_000_000
BOM = b"\xef\xbb\xbf"
_OPENING, _CLOSING = ("start_map", "start_array"), ("end_map", "end_array")


def first_key(file: IO[bytes], prefix: str, wanted: frozenset[str]) -> str | None:
    """The first key of the object at `prefix` that is one of `wanted`. Raises Problem `invalid` for what is no JSON."""
    rewind(file)
    with _readable():
        for place, event, value in _tokens(file):
            if place == prefix and event == "map_key" and value in wanted:
                return str(value)
    return None


def values(file: IO[bytes], prefix: str) -> Iterator[Any]:
    """The values at `prefix` (in the notation of ijson), in order. Raises Problem `invalid`, `too_large`."""
    rewind(file)
    with _readable():
        yield from _built(_tokens(file), prefix)


def _tokens(file: IO[bytes]) -> Iterator[tuple[str, str, Any]]:
    """Place, event, value. Looked at before places are spelled out: those cost the square of the depth."""
    return iter(ijson.parse(_shallow(ijson.basic_parse(file, use_float=True))))


def _shallow(events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    depth = 0
    for event, value in events:
        depth += (event in _OPENING) - (event in _CLOSING)
        if depth > MAX_DEPTH:
            raise refusal(f"There are more than {MAX_DEPTH} levels of nesting.")
        yield event, value


def _built(tokens: Any, prefix: str) -> Iterator[Any]:
    depth, count, builder = 0, 0, None
    for place, event, value in tokens:
        if builder is None:
            if place != prefix or event in ("map_key", *_CLOSING):
                continue
            depth, count, builder = 0, 0, ijson.ObjectBuilder()
        builder.event(event, value)
        count += 1
        depth += (event in _OPENING) - (event in _CLOSING)
        if count > MAX_VALUES:
            raise Problem("too_large", f"One conversation has at most {MAX_VALUES} values.")
        if depth == 0:
            yield builder.value
            builder = None


def rewind(file: IO[bytes]) -> None:
    """To the beginning of the text: some editors put a mark before it."""
    file.seek(0)
    file.seek(len(BOM) if file.read(len(BOM)) == BOM else 0)


def refusal(reason: str) -> Problem:
    """Problem `invalid` for the form field `file`."""
    return Problem("invalid", reason, errors={"file": [reason]})


@contextmanager
def _readable() -> Iterator[None]:
    """What the parser says of what is no JSON (numbers beyond all measure included), as a Problem."""
    try:
        yield
    except (ijson.JSONError, ValueError, OverflowError, RecursionError) as error:
        raise refusal("The file is not valid JSON in UTF-8, or has a number beyond 2^63.") from error
