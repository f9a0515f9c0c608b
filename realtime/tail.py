"""The newest events of a room, in memory: what members who come in are given without reading the log."""

from collections import deque
from collections.abc import Sequence

from django.conf import settings

from realtime.hints import Item

# Characters of events at most, and ROOM_TAIL events.
MOST = 512 * 1024


class Tail:
    """Events that follow one another up to the head of the room."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._size = 0

    def remember(self, item: Item) -> None:
        """Add the event at the head."""
        self._items.append(item)
        self._size += len(item.text)
        while len(self._items) > settings.ROOM_TAIL or self._size > MOST:
            self._size -= len(self._items.popleft().text)

    def recall(self, items: Sequence[Item], head: int) -> None:
        """Put back what was read from the log, as far as it belongs in front of what is here, and fits."""
        for item in reversed(items):
            first = self._items[0].seq if self._items else head + 1
            full = len(self._items) >= settings.ROOM_TAIL or self._size + len(item.text) > MOST
            if item.seq == first - 1 and not full:
                self._items.appendleft(item)
                self._size += len(item.text)

    def since(self, seq: int, head: int) -> list[Item] | None:
        """The events after `seq`, or None where they are not all here."""
        if seq >= head:
            return []
        if not self._items or self._items[0].seq > seq + 1:
            return None
        return [item for item in self._items if item.seq > seq]

    def forget(self) -> None:
        self._items.clear()
        self._size = 0
