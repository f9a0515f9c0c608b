"""Whether the shares that somebody reads still lead somewhere: one query for all of this process, every POLL_MS."""

from typing import Protocol
from uuid import UUID

from chatproject.lib.threads import in_thread
from conversations import selectors


class Reader(Protocol):
    """A stream of a share."""

    share: UUID

    def removed(self, reason: str) -> None: ...


class SharePoll:
    """The readers of this process, by share."""

    def __init__(self) -> None:
        self._readers: dict[UUID, set[Reader]] = {}

    def count(self, share: UUID) -> int:
        return len(self._readers.get(share, ()))

    def add(self, reader: Reader) -> None:
        """Have a reader cut off as soon as its share leads nowhere."""
        self._readers.setdefault(reader.share, set()).add(reader)

    def remove(self, reader: Reader) -> None:
        self._readers.get(reader.share, set()).discard(reader)
        if not self._readers.get(reader.share):
            self._readers.pop(reader.share, None)

    async def look(self) -> None:
        """One round. Raises what the database raises."""
        if not self._readers:
            return
        asked = list(self._readers)
        open_ = await in_thread(selectors.open_shares, asked)
        for share in set(asked) - open_:
            for reader in list(self._readers.get(share, ())):
                reader.removed("closed")
