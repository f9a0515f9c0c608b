"""A room that a user's stream listens to, for as long as something happens there: as a visitor, whom nobody sees
and who takes no seat."""

import time
from typing import Protocol
from uuid import UUID

from django.conf import settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import selectors
from realtime.batches import Batch
from realtime.hub import hub
from realtime.room import Room


class Listener(Protocol):
    """A stream; told of what happens in rooms that it listens to."""

    def offer(self, tap: "Tap", batch: Batch) -> None: ...

    def forget(self, tap: "Tap") -> None: ...

    def put_out(self, tap: "Tap", reason: str) -> None: ...

    def stir(self) -> None: ...


class Tap:
    """`seq` is where the stream stands in the conversation, and `stirred` when it last came further. While it is
    `behind`, what the room brings is not taken: the stream reads the log."""

    role = ""

    def __init__(self, listener: Listener, user: User, conversation: UUID, seq: int) -> None:
        self.conversation = conversation
        self.seq = seq
        self.behind = True
        self.room: Room | None = None
        self.user_id = user.id
        self.user_name = user.display_name
        self._listener = listener
        self._closed = False
        self.stirred = time.monotonic()

    @property
    def idle(self) -> bool:
        """Whether nothing was said there for a while, and nothing is being said."""
        busy = self.room is not None and self.room.lengths
        return not busy and time.monotonic() - self.stirred > settings.STREAM_ROOM_SECONDS

    def note(self, seq: int) -> None:
        """The client has everything up to `seq`."""
        self.seq = seq
        self.stirred = time.monotonic()

    async def open(self) -> None:
        """Listen; where that fails, the stream goes on finding what is new by itself."""
        try:
            room = await hub().visit(self.conversation)
        except Problem:
            return
        if self._closed:
            return hub().go_away(room)
        room.members.add(self)
        self.room = room
        # Whoever was removed before this is not told by the room.
        if await in_thread(selectors.role_of, self.user_id, self.conversation) is None:
            self.close()
        self._listener.stir()

    def close(self) -> None:
        """Listen no more."""
        self._closed = True
        if self.room:
            self.room.members.discard(self)
            hub().go_away(self.room)
            self.room = None

    def deliver(self, batch: Batch) -> None:
        if not self.behind:
            self._listener.offer(self, batch)

    def forget(self) -> None:
        self._listener.forget(self)

    def removed(self, reason: str) -> None:
        self.close()
        self._listener.put_out(self, reason)

    def left(self) -> None:
        """Nobody knew that it was there."""
