"""Assistants that need people, for browser tests."""

import asyncio
from typing import Any

from conversations.assistants.base import Turn

CITIES = ["Aachen", "Berlin", "Celle", "Dresden", "Emden", "Fulda", "Gera"]
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "approval": ("approval", {"title": "Send the invoice?", "description": "It goes to the customer at once."}),
    "choice": ("choice", {"title": "Which size?", "enum": ["small", "large"]}),
    "long": ("choice", {"title": "Which city?", "enum": CITIES}),
    "text": ("text", {"title": "What is your name?", "maxLength": 20}),
    "form": (
        "form",
        {
            "title": "Where shall we ship it?",
            "properties": {
                "street": {"type": "string", "title": "Street", "maxLength": 40, "minLength": 3},
                "count": {"type": "integer", "title": "How many", "minimum": 1, "maximum": 9, "description": "1 to 9"},
                "gift": {"type": "boolean", "title": "As a gift"},
                "size": {"enum": ["small", "large"], "title": "Size"},
                "note": {"type": "string", "title": "Note", "maxLength": 400},
            },
            "required": ["street", "count", "size"],
        },
    ),
}  # fmt: skip


class Asker:
    """Asks what it is told to ask, and says what was answered."""

    async def answer(self, turn: Turn) -> None:
        kind, schema = QUESTIONS[(await turn.context()).lines[-1].text.strip()]
        await turn.emit("One moment. ")
        answer = await turn.ask(kind, schema)
        await turn.emit(f"You said {answer!r}.")


class Limping:
    """Does without a part."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("It goes on ")
        await turn.degraded("guide", "late")
        await asyncio.sleep(2)
        await turn.emit("all the same.")


class Clerk:
    """Hands over to a person."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Let me get a colleague.")
        await turn.hand_over("wants a refund")
