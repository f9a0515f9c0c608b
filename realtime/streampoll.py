"""What the streams of users look for: one query for all of this process, every POLL_MS, and at once where a user
is told that a conversation was begun or opened to him."""

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol
from uuid import UUID

from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.selectors import Look
from conversations.streamcursors import StreamCursor
from realtime.subscriptions import Subscriptions
from realtime.tasks import run_soon

log = logging.getLogger(__name__)


class Reader(Protocol):
    """A stream of a user. `ready` while it can take another look; its cursor's base stays until it has one."""

    user_id: UUID
    cursor: StreamCursor

    @property
    def ready(self) -> bool: ...

    def found(self, look: Look) -> None: ...


class StreamPoll:
    """The streams of this process, by user."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._readers: dict[UUID, set[Reader]] = {}
        self._looking: set[Reader] = set()
        # Whose look began too early.
        self._again: set[Reader] = set()

    def add(self, reader: Reader) -> None:
        """Look for a stream, now and then."""
        first = reader.user_id not in self._readers
        self._readers.setdefault(reader.user_id, set()).add(reader)
        if first:
            run_soon(self._subscriptions.want(reader.user_id))
        self.soon([reader])

    def remove(self, reader: Reader) -> None:
        readers = self._readers.get(reader.user_id, set())
        readers.discard(reader)
        if not readers and self._readers.pop(reader.user_id, None) is not None:
            self._subscriptions.drop(reader.user_id)

    def heard(self, user: UUID) -> None:
        """A hint for a user came in: a conversation was begun or opened to him."""
        if user in self._readers:
            self.soon(self._readers[user])

    def soon(self, readers: Iterable[Reader]) -> None:
        """Look for these streams without waiting for the next round."""
        wanted = set(readers)
        self._again |= wanted & self._looking
        if wanted - self._looking:
            run_soon(self._look([*wanted - self._looking]))

    async def look(self) -> None:
        """One round for all streams that can take one. Raises what the database raises."""
        await self._look([one for some in self._readers.values() for one in some if one not in self._looking])

    async def _look(self, readers: Sequence[Reader]) -> None:
        # Two looks of one stream at a time would begin at the same place, and bring everything twice.
        self._again |= self._looking.intersection(readers)
        ready = [one for one in readers if one.ready and one not in self._looking]
        if not ready:
            return
        self._looking |= set(ready)
        try:
            looks = await in_thread(selectors.look, [(one.user_id, one.cursor) for one in ready])
        finally:
            self._looking -= set(ready)
        for one, found in zip(ready, looks, strict=True):
            one.found(found)
        again, self._again = self._again & set(ready), self._again - set(ready)
        self.soon(again)
