"""What streams of people who are logged in have in common."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.identities import Identity
from accounts.models import User
from realtime.hints import Item, item_of
from realtime.protocol import Close
from realtime.tenure import Tenure


class HeldStream:
    """Ends with the login by which it is held; `wake` is set when there is something to do."""

    def __init__(self, identity: Identity, session_id: UUID) -> None:
        self.session_id: UUID | None = session_id
        self.tenure: Tenure | None = Tenure(identity)
        self.user: User | None = identity.user
        self.acted = True
        self.user_id = identity.user.id
        self.wake = asyncio.Event()
        # What concerns the client alone; is not dropped.
        self._aside: deque[Item] = deque()

    def check(self) -> None:
        """That the client is gone is told by HTTP; here it is told of a new token, and ended with an old one."""
        if self.tenure:
            self.tenure.renew(self.send)
            if self.tenure.over:
                self.close(Close.TOKEN_EXPIRED)

    def close(self, code: int) -> None:
        """End the stream."""
        raise NotImplementedError

    def aside(self) -> Iterator[Item]:
        """What waits beside the log, one by one."""
        while self._aside:
            yield self._aside.popleft()

    def send(self, frame: dict[str, Any]) -> None:
        """Say something that is no event."""
        self._aside.append(item_of(frame))
        self.wake.set()
