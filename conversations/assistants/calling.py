"""How an assistant is called: by the runner for a run, and by assistants that ask others. The one way."""

from conversations.assistants import registry
from conversations.assistants.base import Turn


async def answer(name: str, turn: Turn) -> None:
    """Have the assistant `name` answer `turn`. Raises AssistantError, and whatever an assistant may raise."""
    await registry.get(name).answer(turn)
