"""Reading a stream in gulps: what comes token by token is waited for once for several of them."""

import asyncio
import time

from conversations.assistants import rhythm

# Seconds within which a chunk comes that was there already.
AT_HAND = 0.005


class Gulps:
    """To be told of every chunk that was read. What is shown goes by the same rhythm: nobody sees it later for that."""

    def __init__(self) -> None:
        self._rested = 0.0

    async def rest(self) -> None:
        """After a chunk that had to be waited for, let others come."""
        if time.monotonic() - self._rested > AT_HAND:
            await asyncio.sleep(rhythm.seconds())
            self._rested = time.monotonic()
