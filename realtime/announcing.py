"""Telling open rooms that assistants came, went or changed, so that pages offer what there is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chatproject.lib.threads import in_thread
from conversations.connectors import directory
from realtime.hints import item_of
from realtime.room import Room


class Announcer:
    """Every process notices by itself (connectors/directory.py): nothing of this goes through Redis."""

    def __init__(self) -> None:
        self._known: Mapping[str, Any] | None = None

    async def look(self, rooms: Mapping[UUID, Room]) -> None:
        """Tell the rooms of this process what is different since the look before."""
        now = await in_thread(directory.known)
        before, self._known = self._known, now
        if before is None or before is now:
            return
        names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        if names:
            for conversation, room in rooms.items():
                frame = {"type": "assistants:changed", "conversation": str(conversation), "assistants": names}
                room.offer([item_of(frame)])
