"""Stored and replayed states, with their texts in clear. Membership was checked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import IntegerField, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts.models import User
from chatproject.lib.clock import rfc3339
from chatproject.lib.errors import Problem
from conversations import wire
from conversations.integrity.rows import row_of
from conversations.models import Conversation, Message, Run, Snapshot
from conversations.snapshots import states
from conversations.snapshots.checksums import checksum

Json = dict[str, Any]

# The reason of a state that is not stored, but was just folded from the log.
REPLAYED = "replayed"
SHOWN = ("owner", "status", "assistant", "metadata", "tags", "version", "created_at")


def snapshots(conversation: UUID) -> QuerySet[Snapshot]:
    """The stored ones."""
    return Snapshot.objects.filter(conversation=conversation)


def snapshot_times(conversation: UUID) -> QuerySet[Snapshot, Any]:
    """`seq`, `created_at` and number of `messages` of the stored ones, the latest first; no state is read."""
    found = snapshots(conversation).annotate(messages=Cast(KT("state__messages_count"), IntegerField()))
    return found.order_by("-seq").values("seq", "created_at", "messages")


def conversations_holding(**columns: Any) -> QuerySet[Snapshot, Any]:
    """Ids of conversations of which a snapshot holds a message with these columns; found by an index. For staff."""
    return Snapshot.objects.filter(state__messages__contains=[columns]).values("conversation_id")


def snapshot_at(conversation: Conversation, seq: int) -> Json:
    """The stored snapshot of `seq`, or the state at it, folded from the nearest one before.

    Raises Problem `not_found` for a number that the log does not have, `conversation_closed` where it was erased.
    """
    if not 1 <= seq <= conversation.last_seq:
        raise Problem("not_found", f"The log has the numbers 1 to {conversation.last_seq}.")
    if conversation.erased:
        raise Problem("conversation_closed")
    row = snapshots(conversation.id).filter(seq=seq).first()
    if row is not None and states.good_state(row) is not None:
        return wire_snapshot(row)
    state = states.state_at(conversation.id, seq)
    return _public(conversation.id, seq, state, checksum(conversation.id, seq, state), REPLAYED, None)


def wire_snapshot(row: Snapshot) -> Json:
    """The public form of a stored snapshot."""
    return _public(row.conversation_id, row.seq, row.state, row.checksum, row.reason, row.created_at)


def _public(conversation: UUID, seq: int, state: Json, checked: str, reason: str, created_at: datetime | None) -> Json:
    return {
        "conversation": str(conversation),
        "seq": seq,
        "state": opened(conversation, state),
        "checksum": checked,
        "reason": reason,
        "created_at": rfc3339(created_at),
    }


def opened(conversation: UUID, state: Json) -> Json:
    """A folded state as members see it: `{conversation, members, messages, messages_count, truncated, runs}`."""
    attributes = state["conversation"]
    title = wire.opened(attributes["title"], conversation, _id(attributes["title_event"]), "title")
    names = {str(user.id): user.display_name for user in User.objects.filter(id__in=state["members"])}
    messages = [row_of(Message, conversation, row) for row in state["messages"]]
    return {
        "conversation": {"title": title, **{name: attributes[name] for name in SHOWN}},
        "members": [
            {"user": {"id": id_, "name": names.get(id_, "")}, **member} for id_, member in state["members"].items()
        ],
        "messages": [wire.message(row) for row in messages],
        "messages_count": state["messages_count"],
        "truncated": state["messages_count"] > len(messages),
        "runs": [wire.run(row_of(Run, conversation, row)) for row in state["runs"]],
    }


def _id(value: str | None) -> UUID | None:
    return UUID(value) if value else None
