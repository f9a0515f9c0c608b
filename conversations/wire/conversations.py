"""Conversations and who takes part."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations import epochs
from conversations.models import Conversation, Member
from conversations.wire.events import opened

Json = dict[str, Any]


def title(row: Conversation) -> str | None:
    return opened(row.title, row.id, row.title_event, "title")


def conversation(row: Conversation, *, role: str | None, unread: int, members_count: int) -> Json:
    return {
        "id": str(row.id),
        "title": title(row),
        "status": row.status,
        "assistant": row.assistant,
        "agent": str(row.agent) if row.agent else None,
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


def member(row: Member) -> Json:
    return {
        "user": {"id": str(row.user_id), "name": row.user.display_name},
        "role": row.role,
        "since": rfc3339(row.since),
    }
