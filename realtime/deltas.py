"""Pieces of running answers as frames."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec

from realtime.hints import Item, item_of

# Code points of one delta: at most 4 bytes each, or 6 where JSON escapes them, and so below BATCH_MAX_BYTES.
PIECE = 40_000


def delta_frame(conversation: UUID, answer: dict[str, Any], offset: int, end: int | None = None) -> dict[str, Any]:
    """The text of an answer `{run, message, text, offset?}` between two places; the text begins at `offset`."""
    return {
        "type": "delta",
        "conversation": str(conversation),
        "run": answer["run"],
        "message": answer["message"],
        "offset": answer.get("offset", 0) + offset,
        "text": answer["text"][offset:end],
    }


def delta_frames(conversation: UUID, answer: dict[str, Any], offset: int) -> Iterator[dict[str, Any]]:
    """The text of an answer from `offset` on, in frames that are not too large; none where nothing is left."""
    for start in range(offset, len(answer["text"]), PIECE):
        yield delta_frame(conversation, answer, start, start + PIECE)


def joined_deltas(items: Iterable[Item]) -> list[Item]:
    """`items`, where neighbouring deltas that continue one another are one, unless it gets too large."""
    groups: list[list[Item]] = []
    for item in items:
        if groups and _continues(groups[-1], item):
            groups[-1].append(item)
        else:
            groups.append([item])
    return [_as_one(group) for group in groups]


def _continues(group: Sequence[Item], item: Item) -> bool:
    first, last = group[0], group[-1]
    follows = item.type == last.type == "delta" and item.run == last.run and item.offset == last.offset + last.length
    return follows and item.offset + item.length - first.offset <= PIECE


def _as_one(group: Sequence[Item]) -> Item:
    if len(group) == 1:
        return group[0]
    frames = [msgspec.json.decode(item.text) for item in group]
    return item_of({**frames[0], "text": "".join(frame["text"] for frame in frames)})
