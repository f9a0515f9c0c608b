"""Files."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations.context import tokens
from conversations.models import File
from conversations.wire.events import opened

Json = dict[str, Any]


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
