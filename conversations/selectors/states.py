"""The shared state of rooms."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from conversations import wire
from conversations.models import RoomState

Json = dict[str, Any]


def room_state(conversation: UUID) -> dict[str, Json]:
    """The shared state of a room, by key. For callers that checked membership."""
    return {row.key: wire.room_state(row) for row in RoomState.objects.filter(conversation=conversation)}


def states_since(conversations: Iterable[UUID], moment: datetime) -> list[Json]:
    """`state:set` of every register that changed since `moment`, for the poll."""
    rows = RoomState.objects.filter(updated_at__gte=moment, conversation_id__in=list(conversations))
    return [wire.state_set(row) for row in rows]
