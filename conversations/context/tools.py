"""Tool calls in contexts: each with its result, in front of the answer that they led to."""

from collections.abc import Iterator
from typing import Any

from conversations import event_types, wire
from conversations.context import tokens
from conversations.context.result import Call, Line
from conversations.models import Message, Run

# Of PER_TOOL_CALL, what belongs to the call; the rest is its result's.
PER_CALL = tokens.PER_TOOL_CALL // 2
ENDED = ("completed", "failed")


def ended(run: Run) -> list[dict[str, Any]]:
    """The stored tool calls that have a result; a call without one is never sent."""
    return [step for step in run.steps if step["kind"] == "tool" and step["status"] in ENDED]


def tokens_of(run: Run, encoding: str) -> int:
    """What all tool calls of a run and their results take."""
    return sum(_size(run, step, encoding) for step in ended(run))


def _size(run: Run, step: dict[str, Any], encoding: str) -> int:
    counted = step.get("tokens", {}).get(encoding)
    if counted is None:
        texts = event_types.sendable_texts("run:step", wire.step(run, step))
        counted = sum(tokens.count(text, encoding) for text in texts)
    return counted + tokens.count(step["name"], encoding) + tokens.PER_TOOL_CALL


def lines(run: Run, row: Message, encoding: str) -> Iterator[Line]:
    """The calls of `run`, which wrote the message `row`, each followed by its result."""
    for stored in ended(run):
        call, result = exchange(run, stored)
        asked = tokens.count(call.name, encoding) + tokens.count(call.arguments, encoding) + PER_CALL
        rest = _size(run, stored, encoding) - asked
        origin = {"run": str(run.id), "step": stored["step"]}
        yield Line("assistant", "", asked, seq=row.seq, call=call, origin=origin)
        yield Line("tool", result, rest, seq=row.seq, call=call, origin=origin)


def exchange(run: Run, stored: dict[str, Any]) -> tuple[Call, str]:
    """A call, and what came back, as the model is told them."""
    step = wire.step(run, stored)
    given = step.get("input")
    arguments = event_types.as_text(given) if given is not None else ""
    output = step.get("output")
    return Call(step["step"], step["name"], arguments), event_types.as_text(output) if output is not None else ""
