"""Turns of assistants."""

from typing import Any
from uuid import UUID

from chatproject.lib.clock import rfc3339
from conversations import asking, event_types, keys
from conversations.models import Run
from conversations.wire.events import opened

Json = dict[str, Any]


def step(row: Run, stored: Json) -> Json:
    """A step of a run, or what it asked a person, its secret values opened."""
    data = {name: value for name, value in stored.items() if name not in ("event", "run", "answer")}
    type_ = "run:ask" if asking.is_ask(stored) else "run:step"
    opened = _unsealed(row, type_, data, stored["event"])
    return _unsealed(row, "run:answer", opened, stored["answer"]) if "answer" in stored else opened


def _unsealed(row: Run, type_: str, data: Json, event: str) -> Json:
    return event_types.unseal(type_, data, keys.of(row.conversation_id), row.conversation_id, UUID(event))


def run(row: Run) -> Json:
    return {
        "id": str(row.id),
        "conversation": str(row.conversation_id),
        "message": str(row.message) if row.message else None,
        "reply_to": str(row.reply_to),
        "assistant": row.assistant,
        "team": row.team,
        "version": row.version,
        "status": row.status,
        "queued_at": rfc3339(row.queued_at),
        "started_at": rfc3339(row.started_at),
        "ended_at": rfc3339(row.ended_at),
        "steps": [step(row, stored) for stored in row.steps],
        "usage": row.usage,
        "error": run_error(row),
    }


def run_error(row: Run) -> Json | None:
    """Why a run failed."""
    error: Json | None = opened(row.error, row.conversation_id, row.end_event, "error")
    return error
