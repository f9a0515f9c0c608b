"""Shares, and what strangers see by them: what was said and by whom, nothing about accounts."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from chatproject.lib.clock import rfc3339
from conversations import markdown
from conversations.models import File, Message, Share
from conversations.wire.files import file_name

Json = dict[str, Any]


def share(row: Share, *, token: str | None = None, url: str | None = None) -> Json:
    """A share; `token` and `url` are known only when it is made."""
    shown = {
        "id": str(row.id),
        "url": url,
        "mode": "live" if row.live else "fixed",
        "seq": row.seq,
        "password": bool(row.password),
        "max_views": row.max_views,
        "views": row.views,
        "created_at": rfc3339(row.created_at),
        "expires_at": rfc3339(row.expires_at),
    }
    return {**shown, "token": token} if token else shown


def shared_message(
    row: Message,
    *,
    text: str,
    status: str,
    place: int,
    edited_at: str | datetime | None,
    files: Mapping[str, File] = MappingProxyType({}),
) -> Json:
    """A message for a stranger; `place` is the seq at which a page shows it. Files are named, no more."""
    return {
        "id": str(row.id),
        "seq": row.seq,
        "place": place,
        "role": row.role,
        "author": {"name": label(row.author_name)},
        "status": status,
        "text": text,
        "html": markdown.render(text),
        "files": [_file(files[part["id"]]) for part in row.parts if part["id"] in files],
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339(edited_at) if isinstance(edited_at, datetime) else edited_at,
    }


def label(name: str) -> str:
    """A name without what could be an address: users who give no name are called by their user name."""
    return name.split("@")[0]


def _file(row: File) -> Json:
    return {"name": file_name(row), "type": row.type, "size": row.size}
