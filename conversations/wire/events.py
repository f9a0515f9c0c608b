"""Events, and what is sealed in them and in the rows that come from them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chatproject.lib.clock import rfc3339
from conversations import event_types, keys
from conversations.models import Event

Json = dict[str, Any]


def event(row: Event, data: Json) -> Json:
    """An event as it is sent; `data` in clear."""
    frame: Json = {
        "type": row.type,
        "conversation": str(row.conversation_id),
        "seq": row.seq,
        "id": str(row.id),
        "actor": {"kind": row.actor_kind, "id": row.actor_id, "name": row.actor_name, **imported_mark(row.imported_by)},
        "at": rfc3339(row.at),
    }
    if row.cmid:
        frame["cmid"] = row.cmid
    frame["data"] = data
    return frame


def imported_mark(mark: object) -> Json:
    """What tells that an author is a label from a file."""
    return {"imported": True} if mark else {}


def stored_event(row: Event) -> Json:
    """An event as it is sent, from its stored form."""
    key = None if event_types.is_erased(row.data) else keys.find(row.conversation_id)
    if key is None:
        # Without its key it is as good as erased: its row may have been read right before.
        return event(row, event_types.ERASED)
    return event(row, event_types.unseal(row.type, row.data, key, row.conversation_id, row.id))


def stored_events(rows: Iterable[Event]) -> list[Json]:
    return [stored_event(row) for row in rows]


def opened(value: Any, conversation: UUID, event_id: UUID | None, field: str) -> Any:
    """The value of an envelope that a projection copied from `field` of an event; None for none, or erased."""
    key = keys.find(conversation) if value is not None and event_id else None
    if key is None or event_id is None:
        return None
    return key.open(value, event_types.context(conversation, event_id, field))
