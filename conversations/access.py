"""The former name of `permissions`, which has the table."""

from conversations.permissions import ROLES, Permission, require

__all__ = ["ROLES", "Permission", "require"]
