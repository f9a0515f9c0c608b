"""What rooms brought and a stream has not taken yet: in order, and bounded."""

from collections import deque
from collections.abc import Iterator

from django.conf import settings

from realtime.batches import Batch, size_of
from realtime.hints import Item
from realtime.taps import Tap


class Backlog:
    """Where too much waits, it is dropped and its rooms are behind: their log is read."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Tap, Item]] = deque()
        self._size = 0

    def add(self, tap: Tap, batch: Batch) -> None:
        """Put in what a room brought."""
        self._waiting.extend((tap, item) for item in batch.items)
        self._size += batch.size
        if self._size > settings.BATCH_MAX_BYTES:
            for behind, _ in self._waiting:
                behind.behind = True
            self._keep(pair for pair in self._waiting if pair[1].type == "left")

    def say(self, tap: Tap, item: Item) -> None:
        """Put in a frame that is not dropped."""
        self._waiting.append((tap, item))

    def forget(self, tap: Tap) -> None:
        """Drop what waits of one room."""
        self._keep(pair for pair in self._waiting if pair[0] is not tap)

    def taken(self) -> Iterator[tuple[Tap, Item]]:
        """What waits, one by one."""
        while self._waiting:
            pair = self._waiting.popleft()
            if not self._waiting:
                self._size = 0
            yield pair

    def _keep(self, pairs: Iterator[tuple[Tap, Item]]) -> None:
        self._waiting = deque(pairs)
        self._size = sum(size_of(item.text) for _, item in self._waiting)
