"""Batches."""

from datetime import timedelta
from typing import Any

from chatproject.lib import clock
from chatproject.lib.clock import rfc3339
from conversations.batches.sealing import opened

Json = dict[str, Any]


def batch(row: Any) -> Json:
    """A batch with the numbers of its rows (`BatchRows.counted`): `rate` in questions a minute since it went on, `eta`
    when it will be over at this rate, None where nobody can tell."""
    left = row.total - row.done - row.failed - row.halted
    rate = _rate(row)
    seconds = round(left / rate * 60) if rate and row.is_active else None
    return {
        "id": str(row.id),
        "status": row.status,
        "title": opened(row, "title", row.title),
        "assistant": row.assistant,
        "per_conversation": row.per_conversation,
        "conversation": str(row.conversation_id) if row.conversation_id else None,
        "total": row.total,
        "done": row.done,
        "failed": row.failed,
        "stopped": row.halted,
        "left": left,
        "progress": round((row.total - left) / row.total, 4),
        "rate": rate,
        "eta": rfc3339(clock.now() + timedelta(seconds=seconds)) if seconds is not None else None,
        "seconds_left": seconds,
        "created_at": rfc3339(row.created_at),
        "started_at": rfc3339(row.started_at),
        "ended_at": rfc3339(row.ended_at),
        "results_url": f"/api/v1/batches/{row.id}/results/",
    }


def _rate(row: Any) -> float | None:
    if row.started_at is None or not row.lately:
        return None
    seconds = ((row.ended_at or clock.now()) - row.started_at).total_seconds()
    return round(row.lately * 60 / max(seconds, 0.001), 2)
