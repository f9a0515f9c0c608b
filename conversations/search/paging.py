"""Pages of results: a place in the ranking, as it was when the first page was made."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from chatproject.lib.errors import Problem
from conversations.search.finding import Hit


class Place(msgspec.Struct, array_like=True, frozen=True):
    """`start` results come before; texts after the event `before` do not count."""

    start: int = 0
    before: UUID | None = None

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


@dataclass(frozen=True)
class Page:
    """`total` is how many were found; cursors of the neighbouring pages, where there are any."""

    hits: Sequence[Hit]
    total: int
    next: Place | None
    previous: Place | None


def parse_place(cursor: str | None) -> Place:
    """Raises Problem `invalid` for a cursor that we did not make."""
    if not cursor:
        return Place()
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Place)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise _invalid() from error
    if not 0 <= place.start < 2**31:
        raise _invalid()
    return place


def page(hits: Sequence[Hit], place: Place, limit: int) -> Page:
    """The hits from `place` on."""
    before = place.before or max((hit.row.text_event for hit in hits if hit.row.text_event), default=None)
    end = place.start + limit
    return Page(
        hits[place.start : end],
        len(hits),
        Place(end, before) if end < len(hits) else None,
        Place(max(0, place.start - limit), before) if place.start else None,
    )


def _invalid() -> Problem:
    return Problem("invalid", errors={"cursor": ["This cursor is not valid."]})
