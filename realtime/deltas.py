"""Pieces of running answers as frames."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

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
