"""Verbs on exports: what leaves the house is audited."""

from uuid import UUID

from accounts import audit
from accounts.models import User


def record_export(*, user: User, conversation: UUID, form: str) -> None:
    """Leave the trace that `user` took a conversation away as a file."""
    audit.record(actor=user.id, action="conversation.exported", target=("conversation", conversation), format=form)
