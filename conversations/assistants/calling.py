"""How an assistant is called: by the runner for a run, and by assistants that ask others. The one way."""

from chatproject.lib.threads import in_thread
from conversations import actions
from conversations.assistants import building, registry
from conversations.assistants.base import AssistantError, Turn


async def answer(name: str, turn: Turn) -> None:
    """Have the assistant, or the action, `name` answer `turn`. Raises AssistantError, and whatever else they raise."""
    handler = actions.handler(name)
    if handler:
        return await handler(turn)
    definition = await in_thread(registry.find, name)
    if definition is None:
        raise AssistantError("assistant_unknown", "There is no assistant of this name here (any more).")
    assistant = await building.built(definition)
    return await assistant.answer(turn)
