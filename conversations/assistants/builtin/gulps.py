"""Reading a stream in gulps: what comes token by token is waited for once for several of them."""

import asyncio
import time

from django.conf import settings

# Seconds within which a chunk comes that was there already.
AT_HAND = 0.005


class Gulps:
    """To be told of every chunk that was read. What is shown goes by DELTA_MS too, so nobody sees it later for that."""

    def __init__(self) -> None:
        self._rested = 0.0

    async def rest(self) -> None:
        """After a chunk that had to be waited for, let others come."""
        if time.monotonic() - self._rested > AT_HAND:
            await asyncio.sleep(settings.DELTA_MS / 1000)
            self._rested = time.monotonic()
