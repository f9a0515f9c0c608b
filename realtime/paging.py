"""Pages of the log that fit in one WebSocket message."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

Frame = dict[str, Any]
HEADROOM = 1024


def pages(conversation: UUID, events: Sequence[Frame], head: int) -> Iterator[Frame]:
    """`catchup` frames with all of `events`; the last one is `done` where it reaches `head`. At least one."""
    rest = list(events)
    while True:
        page, rest = fitting(rest)
        last = page[-1]["seq"] if page else head
        yield {
            "type": "catchup",
            "conversation": str(conversation),
            "events": page,
            "head": head,
            "done": not rest and last >= head,
        }
        if not rest:
            return


def fitting(events: Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
    """As many of the first events as fit in BATCH_MAX_BYTES (one at least), and the rest."""
    room = settings.BATCH_MAX_BYTES - HEADROOM
    for count, event in enumerate(events):
        room -= len(msgspec.json.encode(event)) + 1
        if room < 0 and count:
            return list(events[:count]), list(events[count:])
    return list(events), []
