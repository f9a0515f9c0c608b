"""What whoever runs the service does to conversations of others; every act leaves an audit entry."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.fold import Gap
from conversations.integrity import repairing


@transaction.atomic
def rebuild(*, staff: User, conversation: UUID) -> None:
    """Bring the rows to what the log says. Raises Conversation.DoesNotExist, Problem `conflict` where the log has a
    hole, and OperationalError where the conversation stays locked for longer than LOCK_TIMEOUT_MS."""
    try:
        repairing.rebuild(conversation)
    except Gap as gap:
        raise Problem("conflict", f"Its log is not whole: {gap}.") from gap
    audit.record(actor=staff.id, action="conversation.rebuilt", target=("conversation", conversation))


def record_reading(*, staff: User, conversation: UUID, what: str) -> None:
    """Leave the trace that `staff` reads content; `what` says which part of it (a page, a run)."""
    audit.record(actor=staff.id, action="conversation.read", target=("conversation", conversation), what=what)


def record_session_read(*, staff: User, session: UUID) -> None:
    """Leave the trace that `staff` reads what a caller keeps in a session."""
    audit.record(actor=staff.id, action="session.read", target=("session", session))


def record_titles_seen(*, staff: User, conversations: Iterable[UUID]) -> None:
    """One entry for all the titles of one page of a list."""
    ids = [str(id_) for id_ in conversations]
    audit.record(actor=staff.id, action="conversation.titles_read", target=("conversation", "list"), conversations=ids)
