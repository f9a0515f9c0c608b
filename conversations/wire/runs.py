"""Turns of assistants."""

from typing import Any
from uuid import UUID

from chatproject.lib.clock import rfc3339
from conversations import event_types, keys
from conversations.models import Run
from conversations.wire.events import opened

Json = dict[str, Any]


def step(row: Run, stored: Json) -> Json:
    """A step of a run, its secret values opened."""
    data = {name: value for name, value in stored.items() if name not in ("event", "run")}
    return event_types.unseal(
        "run:step", data, keys.of(row.conversation_id), row.conversation_id, UUID(stored["event"])
    )


def run(row: Run) -> Json:
    return {
        "id": str(row.id),
        "conversation": str(row.conversation_id),
        "message": str(row.message) if row.message else None,
        "reply_to": str(row.reply_to),
        "assistant": row.assistant,
        "status": row.status,
        "queued_at": rfc3339(row.queued_at),
        "started_at": rfc3339(row.started_at),
        "ended_at": rfc3339(row.ended_at),
        "steps": [step(row, stored) for stored in row.steps],
        "usage": row.usage,
        "error": opened(row.error, row.conversation_id, row.end_event, "error"),
    }
