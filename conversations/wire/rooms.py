"""The shared state of rooms, and sessions."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations import keys
from conversations.models import RoomState, Session
from conversations.registers import Clock, Register

Json = dict[str, Any]


def state_context(row: RoomState) -> str:
    """The associated data that binds the values of a register to their place."""
    return f"{row.conversation_id.hex}|state|{row.key}"


def register(row: RoomState) -> Register:
    """A register of a room's shared state, its value opened."""
    value = keys.of(row.conversation_id).open(row.value, state_context(row))
    return Register(value, Clock(row.vector, row.wall), row.client_id, row.author)


def room_state(row: RoomState) -> Json:
    """A register as it stands in `joined.state`; `conflicts` are the losers of the last hour."""
    found = register(row)
    key, context = keys.of(row.conversation_id), state_context(row)
    return {
        "value": found.value,
        "clock": {"vector": dict(found.clock.vector), "wall": found.clock.wall},
        "by": found.author,
        "conflicts": [{"value": key.open(copy["value"], context), "by": copy["by"]} for copy in row.conflicts],
    }


def state_set(row: RoomState) -> Json:
    """The frame that tells a room of a register."""
    return {"type": "state:set", "conversation": str(row.conversation_id), "key": row.key, **room_state(row)}


def session(row: Session) -> Json:
    """A visit of a client."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "client_id": row.client_id,
        "conversation": str(row.conversation_id) if row.conversation_id else None,
        "data": row.data,
        "started_at": rfc3339(row.started_at),
        "last_seen": rfc3339(row.last_seen),
        "ended_at": rfc3339(row.ended_at),
        "reason": row.reason or None,
    }
