"""What a role may do in a conversation. The one table; every route and every socket command names its row."""

from enum import StrEnum

from chatproject.lib.errors import Problem


class Permission(StrEnum):
    """What can be asked for."""

    READ = "read"
    RATE = "rate"
    SEND = "send"
    STOP = "stop"
    CHANGE = "change"
    ARCHIVE = "archive"
    MODERATE = "moderate"
    ERASE = "erase"
    MANAGE_MEMBERS = "manage_members"
    RESTORE = "restore"
    LEAVE = "leave"


_VIEWER = frozenset({Permission.READ, Permission.RATE, Permission.LEAVE})
_AGENT = _VIEWER | {Permission.SEND, Permission.STOP}
ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission) - {Permission.LEAVE},
    "editor": _AGENT | {Permission.CHANGE},
    "agent": _AGENT,
    "viewer": _VIEWER,
}


def require(role: str | None, permission: Permission) -> None:
    """Raise Problem: `not_found` for strangers (they may not know of it), `forbidden` for the wrong role."""
    if role is None:
        raise Problem("not_found")
    if permission not in ROLES[role]:
        raise Problem("forbidden", f"The role {role} may not {permission.value.replace('_', ' ')} here.")
