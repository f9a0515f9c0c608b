"""Assistants of these tests: small, and each of one mind."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import override_settings

from conversations.assistants.base import AssistantError, Turn

HERE = "tests.conversations.assistants.composing.cast"


class Echo:
    """Says what it was told, and who it is."""

    said = "echo"

    async def answer(self, turn: Turn) -> None:
        text = (await turn.context()).lines[-1].text
        turn.usage = {"input_tokens": 10, "output_tokens": 3}
        async with turn.step("tool", "listen") as step:
            step.output = "heard"
        await turn.emit(f"{self.said}: {text}")


class Plain:
    """Asks a model, and tells nothing of what that took."""

    async def answer(self, turn: Turn) -> None:
        await turn.context()
        await turn.emit("Plainly so.")


class Yes:
    """Says yes."""

    async def answer(self, turn: Turn) -> None:
        turn.usage = {"input_tokens": 1, "output_tokens": 1}
        turn.sources = [{"title": "Yes"}]
        await turn.emit("Yes.")


class No:
    """Says no, a little later."""

    async def answer(self, turn: Turn) -> None:
        await asyncio.sleep(0.05)
        await turn.emit("No!")


class Silent:
    """Says nothing."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit(" ")


class Fails:
    """Fails as assistants should."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Half")
        raise AssistantError("provider_error", "It broke.")


class Breaks:
    """Fails as assistants do."""

    async def answer(self, turn: Turn) -> None:
        raise ZeroDivisionError("secret")


class Hangs:
    """Never answers; `ended` says that it was given up."""

    ended: list[str] = []

    async def answer(self, turn: Turn) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            self.ended.append("hangs")


class Asks:
    """Asks a person."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("approved" if await turn.ask("approval", {"title": "Go on?"}) else "refused")


class Picks:
    """Chooses the last of the names that it is told."""

    async def answer(self, turn: Turn) -> None:
        turn.usage = {"input_tokens": 5, "output_tokens": 1}
        task = (await turn.context()).lines[0].text
        names = task.partition("nothing else: ")[2].partition(".")[0]
        await turn.emit(f"I would ask {names.split(', ')[-1]}, of course.")


class Undecided:
    """Names nobody."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Anybody will do.")


CAST = (Echo, Plain, Yes, No, Silent, Fails, Breaks, Hangs, Asks, Picks, Undecided)


@contextmanager
def cast(**more: Any) -> Iterator[None]:
    """All of them by their names in small letters, and what is made of them."""
    with override_settings(ASSISTANTS={one.__name__.lower(): f"{HERE}.{one.__name__}" for one in CAST} | more):
        yield
