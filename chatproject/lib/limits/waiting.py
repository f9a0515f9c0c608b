"""Waiting for one's turn, where nobody is to be refused."""

import asyncio
from collections.abc import Hashable

from chatproject.lib.limits.taking import RateLimited, take


async def wait_for(name: str, key: Hashable) -> None:
    """Count once more of a limit that is not exact, as soon as that is allowed."""
    while True:
        try:
            take(name, key)
            return
        except RateLimited as refused:
            await asyncio.sleep(refused.standing.reset)
