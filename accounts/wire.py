"""The public form of a user."""

from typing import Any

from accounts.models import User
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
