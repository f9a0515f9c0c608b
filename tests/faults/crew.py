"""The product's settings for servers with a team, and its members: who talk for a second each."""

import asyncio

from chatproject.settings import *  # noqa: F403  Django's way
from conversations.assistants.base import Turn

WORDS = 50


class Talker:
    """Says fifty words, one every 20 ms."""

    async def answer(self, turn: Turn) -> None:
        for number in range(WORDS):
            await turn.emit(f"{turn.path[-1]}{number} ")
            await asyncio.sleep(0.02)


ASSISTANTS |= {  # noqa: F405
    **dict.fromkeys(("ann", "ben", "cy"), "tests.faults.crew.Talker"),
    "crew": {"kind": "team", "members": ["ann", "ben", "cy"], "max_turns": 5},
}
