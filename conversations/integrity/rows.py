"""The derived rows of a conversation in the form of a folded state, so that both can be compared."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from chatproject.lib.clock import rfc3339
from conversations.models import Conversation, Feedback, Member, Message, Run

Json = dict[str, Any]

# Columns that do not come from the log, or that say which row it is.
NOT_COMPARED = {
    Message: {"conversation_id"},
    Run: {"conversation_id", *Run.NOT_IN_THE_LOG},
    Feedback: {"id", "conversation_id"},
}
CONVERSATION = (
    "title", "title_event", "status", "assistant", "agent", "metadata", "tags", "version", "active_run", "created_at",
    "archived_at", "expires_at",
    *Conversation.COUNTERS,
)  # fmt: skip


def read(conversation: UUID) -> Json:
    """Everything that the log gives, as `Fold(window=None).state()` has it, but for what only the fold needs."""
    row = Conversation.objects.get(id=conversation)
    members = Member.objects.filter(conversation=conversation).order_by("since", "id")
    return {
        "seq": row.last_seq,
        "conversation": {"owner": str(row.owner_id), **{name: plain(getattr(row, name)) for name in CONVERSATION}},
        "members": {str(one.user_id): {"role": one.role, "since": plain(one.since)} for one in members},
        "messages": _rows(Message.objects.filter(conversation=conversation).order_by("seq")),
        "runs": _rows(Run.objects.filter(conversation=conversation).order_by("queued_seq")),
        "feedback": _rows(Feedback.objects.filter(conversation=conversation)),
    }


def read_like(state: Json, conversation: UUID) -> Json:
    """Those rows that `state`, of a fold with a window, tells of."""
    found = read(conversation)
    held = {table: {row["id"] for row in state[table]} for table in ("messages", "runs")}
    newest = max(0, len(found["messages"]) - state["window"])
    found["messages"] = [row for n, row in enumerate(found["messages"]) if n >= newest or row["id"] in held["messages"]]
    found["runs"] = [row for row in found["runs"] if row["ended_at"] is None or row["id"] in held["runs"]]
    return found


def columns(model: type[Model]) -> list[str]:
    """The columns of `model` that come from the log."""
    return [field.attname for field in model._meta.concrete_fields if field.attname not in NOT_COMPARED[model]]


def _rows(found: QuerySet[Any]) -> list[Json]:
    names = columns(found.model)
    return [{name: plain(row[name]) for name in names} for row in found.values(*names)]


def plain(value: Any) -> Any:
    """A column's value as JSON."""
    if isinstance(value, UUID):
        return str(value)
    return rfc3339(value) if isinstance(value, datetime) else value


def row_of(model: type[Model], conversation: UUID, row: Mapping[str, Any]) -> Any:
    """An unsaved row from its JSON in a state."""
    fields = {name: model._meta.get_field(name).to_python(value) for name, value in row.items()}  # type: ignore[union-attr]
    return model(conversation_id=conversation, **fields)
