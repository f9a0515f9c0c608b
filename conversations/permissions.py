"""Who may do what: members by their role, staff by their group. The one table; every route and every socket command
names its row, and a matrix of tests walks them all (tests/architecture).

Strangers may nothing; who has a link may read what it shows (services/visits.py).
"""

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
    SHARE = "share"
    CLAIM = "claim"
    LEAVE = "leave"


_VIEWER = frozenset({Permission.READ, Permission.RATE, Permission.LEAVE})
_SPEAKER = _VIEWER | {Permission.SEND, Permission.STOP}
ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission) - {Permission.LEAVE, Permission.CLAIM},
    "editor": _SPEAKER | {Permission.CHANGE},
    "agent": _SPEAKER | {Permission.CLAIM},
    "viewer": _VIEWER,
}

# Groups of staff, and what Django's permissions they come with; administrators of the product may change them. What was
# said is read by who has `read_content`, and every look leaves an audit entry.
_LOOK = frozenset(
    {
        "accounts.view_user",
        "conversations.view_conversation",
        "conversations.view_run",
        "conversations.view_session",
        "conversations.view_share",
        "conversations.view_export",
        "conversations.view_batch",
        "conversations.view_report",
        "conversations.view_reporttemplate",
        "conversations.view_template",
        "conversations.view_connector",
    }
)
# Staff who may take conversations that wait for a person.
ANSWER = "conversations.answer_as_agent"
STAFF_GROUPS: dict[str, frozenset[str]] = {
    "Support agents": _LOOK
    | {"conversations.change_run", "conversations.change_session", "conversations.answer_as_agent"},
    "Auditors": _LOOK
    | {
        "accounts.view_auditentry",
        "auth.view_group",
        "conversations.view_embeddingindex",
        "conversations.view_usage",
    },
    "Administrators": _LOOK
    | {
        "accounts.view_auditentry",
        "auth.view_group",
        "accounts.add_user",
        "accounts.change_user",
        "conversations.read_content",
        "conversations.answer_as_agent",
        "conversations.change_conversation",
        "conversations.change_run",
        "conversations.change_session",
        "conversations.delete_share",
        "conversations.view_embeddingindex",
        "conversations.view_usage",
        "conversations.add_template",
        "conversations.change_template",
        "conversations.delete_template",
        "conversations.add_connector",
        "conversations.change_connector",
        "conversations.delete_connector",
    },
}


def require(role: str | None, permission: Permission) -> None:
    """Raise Problem: `not_found` for strangers (they may not know of it), `forbidden` for the wrong role."""
    if role is None:
        raise Problem("not_found")
    if permission not in ROLES[role]:
        raise Problem("forbidden", f"The role {role} may not {permission.value.replace('_', ' ')} here.")
