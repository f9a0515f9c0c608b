"""How an assistant is called: by the runner for a run, and by assistants that ask others. The one way."""

from conversations import actions
from conversations.assistants import registry
from conversations.assistants.base import Turn


async def answer(name: str, turn: Turn) -> None:
    """Have the assistant, or the action, `name` answer `turn`. Raises AssistantError, and whatever else they raise."""
    handler = actions.handler(name)
    await (handler(turn) if handler else registry.get(name).answer(turn))
