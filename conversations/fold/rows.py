"""New messages and runs, with all columns of their rows that come from the log."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations.models import Event, Message, Run

Json = dict[str, Any]


def new_message(event: Event, **fields: Any) -> Json:
    """A row without a text, made by `event`."""
    row: Json = {
        "id": event.data["message"],
        "seq": event.seq,
        "changed_seq": event.seq,
        "anchor": event.seq,
        "role": event.actor_kind,
        "author_id": event.actor_id,
        "author_name": event.actor_name,
        "status": Message.Status.COMPLETE.value,
        "selected": True,
        "imported": event.imported_by is not None,
        "created_at": rfc3339(event.at),
    }
    row |= dict.fromkeys(("text", "text_event", "custom", "run", "reply_to", "branch_of", "seen_seq", "edited_at"))
    row |= dict.fromkeys(("pinned", "redacted", "sensitive"), False)
    row |= {"parts": [], "versions": [], "past": [], "tokens": {}, "extra": {}}
    return row | fields


def new_run(event: Event, *, reply_to: str) -> Json:
    """A queued run, asked for by `event`."""
    data = event.data
    row: Json = dict.fromkeys(("message", "version", "usage", "error", "end_event", "started_at", "ended_at"))
    return row | {
        "id": data["run"],
        "reply_to": reply_to,
        "requested_by": event.user_id or (not event.imported_by and (data.get("team") or {}).get("by")) or None,
        "team": data.get("team"),
        "branch_of": data.get("branch_of"),
        "assistant": data["assistant"],
        "status": Run.Status.QUEUED.value,
        "steps": [],
        "queued_seq": event.seq,
        "queued_at": rfc3339(event.at),
    }
