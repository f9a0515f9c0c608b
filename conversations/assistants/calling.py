"""How an assistant is called: by the runner for a run, and by assistants that ask others. The one way.

Each call has a place among those of its assistant, ends in time, and counts for its breaker (isolation/).
"""

from chatproject.lib.threads import in_thread
from conversations import actions
from conversations.assistants import building, registry
from conversations.assistants.base import AssistantError, Turn
from conversations.assistants.definitions import Definition
from conversations.assistants.isolation import breaker, bulkhead, calls, limits
from conversations.assistants.isolation.calls import Call
from conversations.assistants.isolation.guarded import Guarded
from conversations.assistants.isolation.intime import in_time


async def answer(name: str, turn: Turn) -> None:
    """Have the assistant, or the action, `name` answer `turn`. Raises AssistantError, and whatever else they raise."""
    handler = actions.handler(name)
    if handler:
        return await handler(turn)
    definition = await in_thread(registry.find, name)
    if definition is None:
        raise AssistantError("assistant_unknown", "There is no assistant of this name here (any more).")
    return await _call(definition, turn)


async def _call(definition: Definition, turn: Turn) -> None:
    bounds = limits.of(definition.limits)
    async with bulkhead.place(definition.name, bounds):
        call = Call(definition.name, bounds, turn, calls.current())
        async with breaker.watched(call):
            await in_time(_answer(definition, call), call)


async def _answer(definition: Definition, call: Call) -> None:
    with call.waiting():
        assistant = await building.built(definition)
    await assistant.answer(Guarded(call.turn, call))
