"""The shared state of rooms."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from chatproject.lib.prepared import Prepared
from conversations import wire
from conversations.models import RoomState

Json = dict[str, Any]


def room_state(conversation: UUID) -> dict[str, Json]:
    """The shared state of a room, by key. For callers that checked membership."""
    return {row.key: wire.room_state(row) for row in _registers(conversation=conversation)}


@Prepared
def _registers(conversation: UUID) -> QuerySet[RoomState, RoomState]:
    return RoomState.objects.filter(conversation=conversation)


def states_within(conversations: Iterable[UUID], age: timedelta) -> list[Json]:
    """`state:set` of every register that changed in the last `age`, for the poll."""
    rows = RoomState.objects.filter(updated_at__gte=Now() - age, conversation_id__in=list(conversations))
    return [wire.state_set(row) for row in rows]
