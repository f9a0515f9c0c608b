"""Python plugins of every bad kind, and two good ones; run by connectors in a process of their own."""

# ruff: noqa: ASYNC220, ASYNC230, ASYNC251, T201 (what plugins should not do)

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

from conversations.assistants.base import AssistantError, Turn


class Good:
    """Does what it should."""

    def __init__(self, word: str = "Hello") -> None:
        self.word = word

    async def answer(self, turn: Turn) -> None:
        text = (await turn.context()).lines[-1].text
        async with turn.step("tool", "think", {"about": text}) as step:
            step.output = {"thought": True}
        print("this goes nowhere")
        await turn.emit(f"{self.word}, ")
        await turn.emit(text)
        turn.usage = {"input_tokens": 1, "output_tokens": 2}


class Asks:
    """Asks a person, and makes a file."""

    async def answer(self, turn: Turn) -> None:
        await turn.artefact("a.txt", "text/plain", b"made there")
        size = await turn.ask("choice", {"title": "Size?", "enum": ["small", "large"]})
        await turn.emit(f"It is {size}.")


class Says:
    """Fails in its own words."""

    async def answer(self, turn: Turn) -> None:
        raise AssistantError("too_tired", "I am tired.")


class Raises:
    async def answer(self, turn: Turn) -> None:
        await turn.emit("Half ")
        raise RuntimeError("secret-of-the-plugin")


class Exits:
    async def answer(self, turn: Turn) -> None:
        await turn.emit("Half ")
        os._exit(3)


class Hangs:
    """Blocks its own loop for good."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Half ")
        time.sleep(3600)


class Spins:
    """Uses its processor up."""

    async def answer(self, turn: Turn) -> None:
        while True:
            pass


class Floods:
    """Says a gigabyte."""

    async def answer(self, turn: Turn) -> None:
        for _ in range(10_000):
            await turn.emit("x" * 100_000)


class Writes:
    """Fills the disk."""

    async def answer(self, turn: Turn) -> None:
        with open("large", "wb") as file:
            for _ in range(10_000):
                file.write(b"x" * 1024 * 1024)


class Grows:
    """Takes all memory."""

    async def answer(self, turn: Turn) -> None:
        held = []
        while True:
            held.append(bytearray(10 * 1024 * 1024))


class Forks:
    """Starts another process, which would outlive it."""

    async def answer(self, turn: Turn) -> None:
        os.fork()
        await asyncio.sleep(3600)


class Starts:
    async def answer(self, turn: Turn) -> None:
        subprocess.Popen(["sleep", "3600"])


class Breeds:
    """May start processes, and leaves them behind, out of its group."""

    async def answer(self, turn: Turn) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
        await turn.emit(f"{child.pid}")
        os._exit(0)


class Garbage:
    """Speaks with the parent in its own way."""

    async def answer(self, turn: Turn) -> None:
        told: Any = turn
        told._told.write("{this is no json\n")
        told._told.flush()
        await asyncio.sleep(3600)


class Looks:
    """Names what it has of an environment."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit(",".join(sorted(os.environ)))
