"""Identifiers: UUIDv7 (RFC 9562), so that ids sort by the time they were made."""

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def new_id() -> UUID:
    """A fresh UUIDv7; ids made by one process never go backwards."""
    return _uuid7()


def parse_id(text: str) -> UUID | None:
    """The UUID that `text` spells in canonical or bare hex form, or None."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
