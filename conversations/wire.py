"""The one public JSON form of everything (PROTOCOL.md sections 3 and 4), for every door alike."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings

from chatproject.lib.clock import rfc3339
from chatproject.lib.crypto import DataKey
from conversations import epochs, event_types, keys, markdown
from conversations.context import tokens
from conversations.models import (
    Conversation,
    Event,
    Export,
    Feedback,
    File,
    Member,
    Message,
    RoomState,
    Run,
    Session,
    Template,
)
from conversations.registers import Clock, Register

Json = dict[str, Any]

NO_FEEDBACK: Json = {"rating": None, "solved": False, "copied": False, "comment": None}


def event(row: Event, data: Json) -> Json:
    """An event as it is sent; `data` in clear."""
    frame: Json = {
        "type": row.type,
        "conversation": str(row.conversation_id),
        "seq": row.seq,
        "id": str(row.id),
        "actor": {"kind": row.actor_kind, "id": row.actor_id, "name": row.actor_name, **_imported(row.imported_by)},
        "at": rfc3339(row.at),
    }
    if row.cmid:
        frame["cmid"] = row.cmid
    frame["data"] = data
    return frame


def _imported(mark: object) -> Json:
    """What tells that an author is a label from a file."""
    return {"imported": True} if mark else {}


def stored_event(row: Event) -> Json:
    """An event as it is sent, from its stored form."""
    key = None if event_types.is_erased(row.data) else keys.find(row.conversation_id)
    if key is None:
        # Without its key it is as good as erased: its row may have been read right before.
        return event(row, event_types.ERASED)
    return event(row, event_types.unseal(row.type, row.data, key, row.conversation_id, row.id))


def stored_events(rows: Iterable[Event]) -> list[Json]:
    return [stored_event(row) for row in rows]


def opened(value: Any, conversation: UUID, event_id: UUID | None, field: str) -> Any:
    """The value of an envelope that a projection copied from `field` of an event; None for none, or erased."""
    key = keys.find(conversation) if value is not None and event_id else None
    if key is None or event_id is None:
        return None
    return _open(key, value, conversation, event_id, field)


def _open(key: DataKey, value: Json, conversation: UUID, event_id: UUID, field: str) -> Any:
    return key.open(value, event_types.context(conversation, event_id, field))


def title(row: Conversation) -> str | None:
    return opened(row.title, row.id, row.title_event, "title")


def conversation(row: Conversation, *, role: str, unread: int, members_count: int) -> Json:
    return {
        "id": str(row.id),
        "title": title(row),
        "status": row.status,
        "assistant": row.assistant,
        "owner": str(row.owner_id),
        "role": role,
        "metadata": row.metadata,
        "tags": row.tags,
        "feedback": {"up": row.up, "down": row.down, "solved": row.solved, "copied": row.copied},
        "sensitive": row.sensitive,
        "epoch": epochs.visible(row.epoch),
        "head": row.last_seq,
        "unread": unread,
        "members_count": members_count,
        "version": row.version,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
        "expires_at": rfc3339(row.expires_at),
        "erased": row.erased,
    }


def message_text(row: Message) -> str:
    """The text as it stands; none of what was deleted or hidden."""
    if row.status in Message.GONE:
        return ""
    return opened(row.text, row.conversation_id, row.text_event, "text") or ""


def message(
    row: Message,
    text: str | None = None,
    *,
    alternatives: Sequence[Message] = (),
    feedback: Json | None = None,
    files: Mapping[str, File] = MappingProxyType({}),
) -> Json:
    """A message; `text` where the caller knows it already (a running answer is stored in chunks), `alternatives`
    the other answers of its group, `feedback` that of whoever asks, `files` those that its parts name."""
    text = message_text(row) if text is None else text
    return {
        "id": str(row.id),
        "conversation": str(row.conversation_id),
        "seq": row.seq,
        "changed_seq": row.changed_seq,
        "place": min(row.seq, *(other.seq for other in alternatives)) if alternatives else row.seq,
        "role": row.role,
        "author": {"id": row.author_id, "name": row.author_name, **_imported(row.imported)},
        "status": row.status,
        "text": text,
        "html": markdown.render(text),
        "parts": [] if row.status in Message.GONE else [_part(part, files.get(part["id"])) for part in row.parts],
        "run": str(row.run) if row.run else None,
        "reply_to": str(row.reply_to) if row.reply_to else None,
        "branch_of": str(row.branch_of) if row.branch_of else None,
        "selected": row.selected,
        "versions": versions(row, *alternatives),
        "tokens": row.tokens.get(tokens.configured()[0]),
        "pinned": row.pinned,
        "redacted": row.redacted,
        "sensitive": row.sensitive,
        "feedback": feedback or NO_FEEDBACK,
        "extra": row.extra,
        "seen_seq": row.seen_seq,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339(row.edited_at),
    }


def _part(part: Json, row: File | None) -> Json:
    """A part of a message; only its id is left of a file that is not there."""
    known = file(row) if row else {}
    about = {"name": known.get("name"), "mime": known.get("type"), "size": known.get("size"), "url": known.get("url")}
    return {**part, **about}


def versions(*rows: Message) -> list[Json]:
    """The texts of a message and of its alternatives, the oldest first: the newest VERSIONS_MAX of them, as
    `{seq, message, selected, at}`; each is there once, also where a restore brought it back."""
    found = [_version(row, own) for row in rows for own in row.versions or [_beginning(row)] if not own.get("source")]
    return sorted(found, key=lambda one: one["seq"])[-settings.VERSIONS_MAX :]


def _beginning(row: Message) -> Json:
    """A running answer has no text of its own yet, but stands where it will be."""
    return {"seq": row.seq, "event": None, "at": rfc3339(row.created_at)}


def _version(row: Message, own: Json) -> Json:
    current = str(row.text_event) if row.text_event else None
    selected = row.selected and own["event"] == current
    return {"seq": own["seq"], "message": str(row.id), "selected": selected, "at": own["at"]}


def feedback(row: Feedback) -> Json:
    return {
        "rating": row.rating,
        "solved": row.solved,
        "copied": row.copied,
        "comment": opened(row.comment, row.conversation_id, row.event, "comment"),
    }


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


def file_name(row: File) -> str:
    return str(opened(row.name, row.conversation_id, row.id, "name"))


def file_text(row: File) -> str | None:
    """The text that was drawn from a file; None where there is none."""
    text: str | None = opened(row.text, row.conversation_id, row.id, "text")
    return text


def file(row: File) -> Json:
    """A file; its content is at `url`."""
    return {
        "id": str(row.id),
        "conversation": str(row.conversation_id),
        "name": file_name(row),
        "type": row.type,
        "size": row.size,
        "message": str(row.message) if row.message else None,
        "tokens": row.tokens.get(tokens.configured()[0]),
        "created_at": rfc3339(row.created_at),
        "url": f"/api/v1/files/{row.id}/",
    }


def template(row: Template) -> Json:
    return {
        "id": str(row.id),
        "slug": row.slug,
        "name": row.name,
        "description": row.description,
        "title": row.title,
        "assistant": row.assistant,
        "system": row.system,
        "pinned": row.pinned,
        "metadata": row.metadata,
        "tags": row.tags,
        "variables": row.variables,
        "active": row.active,
        "visibility": row.visibility,
        "version": row.version,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def export(row: Export) -> Json:
    """An export of many conversations; `progress` is from 0 to 1."""
    completed = row.status == Export.Status.COMPLETED
    return {
        "id": str(row.id),
        "status": row.status,
        "progress": round(row.progress, 4),
        "total": row.total,
        "done": row.done,
        "created_at": rfc3339(row.created_at),
        "ended_at": rfc3339(row.ended_at),
        "expires_at": rfc3339(row.expires_at),
        "download_url": f"/api/v1/exports/{row.id}/download/" if completed else None,
    }


def member(row: Member) -> Json:
    return {
        "user": {"id": str(row.user_id), "name": row.user.display_name},
        "role": row.role,
        "since": rfc3339(row.since),
    }


def state_context(row: RoomState) -> str:
    """The associated data that binds the values of a register to their place."""
    return f"{row.conversation_id.hex}|state|{row.key}"


def register(row: RoomState) -> Register:
    """A register of a room's shared state, its value opened."""
    value = keys.of(row.conversation_id).open(row.value, state_context(row))
    return Register(value, Clock(row.vector, row.wall), row.client_id, row.author)


def room_state(row: RoomState) -> Json:
    """A register as it stands in `joined.state`; `conflicts` are the losers of the last hour."""
    found = register(row)
    key, context = keys.of(row.conversation_id), state_context(row)
    return {
        "value": found.value,
        "clock": {"vector": dict(found.clock.vector), "wall": found.clock.wall},
        "by": found.author,
        "conflicts": [{"value": key.open(copy["value"], context), "by": copy["by"]} for copy in row.conflicts],
    }


def state_set(row: RoomState) -> Json:
    """The frame that tells a room of a register."""
    return {"type": "state:set", "conversation": str(row.conversation_id), "key": row.key, **room_state(row)}


def session(row: Session) -> Json:
    """A visit of a client."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "client_id": row.client_id,
        "conversation": str(row.conversation_id) if row.conversation_id else None,
        "data": row.data,
        "started_at": rfc3339(row.started_at),
        "last_seen": rfc3339(row.last_seen),
        "ended_at": rfc3339(row.ended_at),
        "reason": row.reason or None,
    }
