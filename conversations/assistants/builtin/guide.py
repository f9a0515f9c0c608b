"""Answers from the product's own documentation."""

from conversations.assistants.base import Turn


class Guide:
    """Answers questions about this product from its documentation, offline."""

    async def answer(self, turn: Turn) -> None:
        async with turn.step("retrieval", "documentation", {"query": (await turn.history())[-1][1]}) as step:
            step.output = []
        for word in ["This ", "is ", "not ", "documented."]:
            await turn.emit(word)
