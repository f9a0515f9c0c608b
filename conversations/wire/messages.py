"""Messages, their versions, and what people think of them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings

from chatproject.lib.clock import rfc3339
from conversations import messagetypes
from conversations.context import tokens
from conversations.models import Feedback, File, Message
from conversations.wire.events import imported_mark, opened
from conversations.wire.files import file

Json = dict[str, Any]

NO_FEEDBACK: Json = {"rating": None, "solved": False, "copied": False, "comment": None}


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
    html, custom = messagetypes.shown(text, _custom(row))
    return {
        "id": str(row.id),
        "conversation": str(row.conversation_id),
        "seq": row.seq,
        "changed_seq": row.changed_seq,
        "place": min(row.seq, *(other.seq for other in alternatives)) if alternatives else row.seq,
        "role": row.role,
        "author": {"id": row.author_id, "name": row.author_name, **imported_mark(row.imported)},
        "status": row.status,
        "text": text,
        "html": html,
        "parts": []
        if row.status in Message.GONE
        else [*(_part(one, files.get(one["id"])) for one in row.parts), *custom],
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


def _custom(row: Message) -> list[Json]:
    """The parts of a message that are no files; none of what was deleted or hidden."""
    if row.custom is None or row.status in Message.GONE:
        return []
    first = min(row.versions, key=lambda version: version["seq"])
    return opened(row.custom, row.conversation_id, UUID(first["event"]), "custom") or []


def _files(row: Message, files: Mapping[str, File]) -> list[Json]:
    return [] if row.status in Message.GONE else [_part(part, files.get(part["id"])) for part in row.parts]


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
