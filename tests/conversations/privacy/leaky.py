"""An assistant that says what it should not: the card's number in pieces, in a step, in its sources."""

from typing import Any

from conversations.assistants.base import AssistantError, Turn

PIECES = ("Your card 41", "11 1111 ", "1111 111", "1, your SSN", " 123-45", "-6789 and your order 2024", "1121.")
REDACTED = "Your card [REDACTED], your SSN [REDACTED] and your order 20241121."


class Leaky:
    """Repeats secrets."""

    async def answer(self, turn: Turn) -> None:
        async with turn.step("tool", "charge", {"card": 4111111111111111, "ssn": "123456789"}) as step:
            step.output = {"receipt": ["paid with 4111-1111-1111-1111"]}
        turn.sources = [{"title": "Statement of 4111111111111111"}]
        await emit(turn)


class Failing:
    """Fails after it has said too much, in the middle of a number."""

    async def answer(self, turn: Turn) -> None:
        await emit(turn)
        await turn.emit(" And 4111 1111")
        raise AssistantError("refused", "No such card: 4111111111111111")


async def emit(turn: Any) -> None:
    for piece in PIECES:
        await turn.emit(piece)
