"""Files, as members see them."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.models import File, Message
from conversations.permissions import Permission, require
from conversations.selectors.conversations import role_of


def files(conversation: UUID) -> QuerySet[File]:
    """The files of a conversation, but for those of messages that were deleted. Membership was checked."""
    return _there().filter(conversation=conversation).defer("text")


def file_for(user: User, id_: UUID, permission: Permission = Permission.READ) -> File:
    """A file of a conversation that `user` may read. Raises Problem `not_found` or `forbidden`."""
    row = _there().filter(id=id_, conversation__members__user=user).first()
    if row is None:
        raise Problem("not_found")
    require(role_of(user.id, row.conversation_id), permission)
    return row


def _there() -> QuerySet[File]:
    """A file goes with its message, and comes back with it where a conversation is restored."""
    gone = Message.objects.filter(id=OuterRef("message"), status__in=Message.GONE)
    return File.objects.exclude(Exists(gone))
