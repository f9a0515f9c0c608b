"""Feedback on messages, and the counts of it."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations.fold.state import Fold, on
from conversations.models import Event

FIELDS = ("rating", "solved", "copied", "comment")


@on("message:feedback")
def _message_feedback(fold: Fold, event: Event) -> None:
    key = event.data["message"], event.actor_id
    before = fold.feedback.get(key)
    row = {
        "message": key[0],
        "user": key[1],
        **{name: event.data[name] for name in FIELDS},
        "event": str(event.id),
        "at": rfc3339(event.at),
    }
    fold.feedback[key] = row
    counters = fold.conversation
    for name in ("up", "down", "solved", "copied"):
        counters[name] += _marked(row, name) - _marked(before, name)


def _marked(row: dict[str, Any] | None, name: str) -> bool:
    """Whether `row` counts as one of `name`."""
    if row is None:
        return False
    return row["rating"] == name if name in ("up", "down") else bool(row[name])
