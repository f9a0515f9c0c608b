"""The public form of users, API keys and logins."""

from typing import Any
from uuid import UUID

from accounts.models import ApiKey, Login, User
from chatproject.lib.clock import rfc3339


def user(row: User) -> dict[str, Any]:
    """A user as they see themselves."""
    return {
        "id": str(row.id),
        "username": row.username,
        "name": row.name,
        "email": row.email,
        "preferences": row.preferences,
        "language": row.language,
        "version": row.version,
        "last_active": rfc3339(row.last_active),
    }


def api_key(row: ApiKey) -> dict[str, Any]:
    """A key, without its secret, which nobody has but its owner."""
    return {
        "id": str(row.id),
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "last_used": rfc3339(row.last_used),
        "created_at": rfc3339(row.created_at),
    }


def login(row: Login, current: UUID | None = None) -> dict[str, Any]:
    """A login, as its user sees it; `current` is the one that asks."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "current": row.id == current,
        "created_at": rfc3339(row.created_at),
        "last_used": rfc3339(row.last_used),
        "expires_at": rfc3339(row.expires_at),
        "user_agent": row.user_agent,
        "address": row.address,
    }
