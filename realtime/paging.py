"""Pages of the log that fit in one WebSocket message."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from realtime.batches import size_of
from realtime.hints import Item

HEADROOM = 1024


@dataclass(frozen=True)
class Page:
    """A `catchup` frame; `last_seq` is 0 where it holds no event."""

    frame: dict[str, Any]
    last_seq: int

    @property
    def done(self) -> bool:
        return bool(self.frame["done"])


def pages(conversation: UUID, items: Sequence[Item], head: int) -> Iterator[Page]:
    """Pages with all of the events `items`; the last one is `done` where it reaches `head`. At least one."""
    while True:
        fits, items = fitting(items)
        last = fits[-1].seq if fits else head
        frame = {
            "type": "catchup",
            "conversation": str(conversation),
            "events": as_encoded(fits),
            "head": head,
            "done": not items and last >= head,
        }
        yield Page(frame, fits[-1].seq if fits else 0)
        if not items:
            return


def fitting(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """As many of the first events as fit in BATCH_MAX_BYTES (one at least), and the rest."""
    room = settings.BATCH_MAX_BYTES - HEADROOM
    for count, item in enumerate(items):
        room -= size_of(item.text) + 1
        if room < 0 and count:
            return items[:count], items[count:]
    return items, []


def as_encoded(items: Sequence[Item]) -> list[msgspec.Raw]:
    """Events for a frame: they are encoded already."""
    return [msgspec.Raw(item.text.encode()) for item in items]
