"""The loop of a model that calls tools: it says what it wants, we do it and tell it what came of it, until it answers.

What a model wanted in one round is kept as a step, so that a turn that waited for a person goes on with the very
calls that it had in hand, and does not ask the model again.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings

from conversations.assistants import tools
from conversations.assistants.base import AssistantError, Tool, Turn
from conversations.event_types import as_text
from conversations.usage.tokens import added

Json = dict[str, Any]
# The step that keeps what a model wanted.
ROUND = ("thought", "tools")
REFUSED = "The user did not allow this call."


@dataclass
class Wanted:
    """A call that a model asks for; `arguments` is JSON as it wrote it."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Said:
    """What a model said in one round: `text`, which was emitted, the calls that it wants, and what it cost."""

    text: str = ""
    calls: list[Wanted] = field(default_factory=list)
    usage: dict[str, int] | None = None


# Sends messages to a model, and emits what it says.
Ask = Callable[[list[Json]], Awaitable[Said]]


async def converse(turn: Turn, messages: list[Json], ask: Ask, offered: Sequence[Tool]) -> None:
    """Ask a model until it wants nothing more. Raises AssistantError `tool_rounds` where it does not come to an end."""
    known = {tool.name: tool for tool in offered}
    for _ in range(settings.TOOL_ROUNDS):
        said = await _round(turn, messages, ask)
        turn.usage = added(turn.usage, said.usage)
        if not said.calls:
            return
        messages.append(_as_message(said))
        for wanted in said.calls:
            result = await _called(turn, wanted, known)
            messages.append({"role": "tool", "tool_call_id": wanted.id, "content": as_text(result)})
    raise AssistantError("tool_rounds", "The model called its tools without coming to an end.")


def described(tool: Tool) -> Json:
    """A tool in the form of Chat Completions."""
    about = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return {"type": "function", "function": about}


async def _round(turn: Turn, messages: list[Json], ask: Ask) -> Said:
    """What the model says now; what it said before the turn waited, where it did."""
    before = turn.before(*ROUND)
    said = _restored(before) if before is not None else await ask(messages)
    if before is not None:
        await turn.emit(said.text)
    if said.calls:
        async with turn.step(*ROUND) as step:
            step.output = _kept(said)
    return said


def _kept(said: Said) -> Json:
    output = {"text": said.text, "calls": [asdict(call) for call in said.calls]}
    if len(json.dumps(output, ensure_ascii=False).encode()) > settings.STEP_MAX_BYTES:
        raise AssistantError("too_large", "The model asked its tools for too much at once.")
    return output


def _restored(output: Any) -> Said:
    """What it cost was noted when the turn began to wait."""
    return Said(output["text"], [Wanted(**call) for call in output["calls"]])


async def _called(turn: Turn, wanted: Wanted, known: dict[str, Tool]) -> Any:
    """Call one tool, as a step; what is wrong with a call is told to the model, which may do better."""
    arguments = _arguments(wanted)
    async with turn.step("tool", wanted.name, arguments) as step:
        if not step.done:
            step.output = await _result(turn, wanted, known.get(wanted.name), arguments)
    return step.output


async def _result(turn: Turn, wanted: Wanted, tool: Tool | None, arguments: Any) -> Any:
    if tool is None:
        return {"error": f"There is no tool {wanted.name}."}
    try:
        if tool.side_effects and not await turn.ask("approval", _question(tool, arguments)):
            return {"error": REFUSED}
        return await tools.call(tool, turn, arguments)
    except AssistantError as error:
        return {"error": f"{error.code}: {error.message}"}


def _question(tool: Tool, arguments: Any) -> Json:
    shown = json.dumps(arguments, ensure_ascii=False, indent=1)[:2000]
    return {"title": tool.name, "description": f"{tool.description}\n\n{shown}".strip()}


def _arguments(wanted: Wanted) -> Any:
    """The arguments, or what was written in their place, which fits no schema."""
    try:
        return json.loads(wanted.arguments or "{}")
    except ValueError:
        return wanted.arguments


def _as_message(said: Said) -> Json:
    calls = [
        {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments or "{}"}}
        for one in said.calls
    ]
    return {"role": "assistant", "content": said.text or None, "tool_calls": calls}
