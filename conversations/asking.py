"""What a run asks a person: how a question and its answer stand among the steps of the run, and what becomes of those
that its end leaves open. Pure; shared by the projections and the fold, so that both mean the same."""

from collections.abc import Sequence
from typing import Any

from conversations.models import Event

Json = dict[str, Any]

KINDS = ("approval", "choice", "form", "text")
NAME = "ask"
WAITING = "waiting"
ANSWERED = "answered"
# What a step or a question is that its run ended without.
CLOSED = "stopped"
OPEN = ("running", WAITING)


def asked(steps: Sequence[Json], event: Event) -> list[Json]:
    """The steps after `run:ask`."""
    return [*steps, {**event.data, "name": NAME, "status": WAITING, "event": str(event.id)}]


def answered(steps: Sequence[Json], event: Event) -> list[Json]:
    """The steps after `run:answer`; `answer` is the event that holds the value."""
    given = {"status": ANSWERED, "value": event.data["value"], "answer": str(event.id), "by": event.actor_id}
    return [{**step, **given} if step["step"] == event.data["step"] else step for step in steps]


def closed(steps: Sequence[Json]) -> list[Json]:
    """The steps after `run:end`: what was not done, or not answered, by then never will be."""
    return [{**step, "status": CLOSED} if step["status"] in OPEN else step for step in steps]


def is_ask(step: Json) -> bool:
    return "schema" in step
