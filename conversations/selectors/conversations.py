"""Conversations and their members, as a user sees them."""

from typing import Any, cast
from uuid import UUID

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from chatproject.lib import rows
from chatproject.lib.errors import Problem
from chatproject.lib.prepared import Prepared
from conversations import wire
from conversations.models import Batch, BatchRow, Conversation, Member, Message
from conversations.permissions import Permission, require

Json = dict[str, Any]
# Everybody who joins a room begins with it.
STANDING = """
    SELECT m.role, c.last_seq FROM conversations_member m
      JOIN accounts_user u ON u.id = m.user_id AND u.is_active
      JOIN conversations_conversation c ON c.id = m.conversation_id
     WHERE m.conversation_id = %s AND m.user_id = %s
"""


def conversation_for(user: User, id_: UUID, permission: Permission = Permission.READ) -> Conversation:
    """The conversation, with `role`. Raises Problem `not_found` or `forbidden`."""
    row: Any = _mine.first(user=user.id, id_=id_)
    if row is None:
        raise Problem("not_found")
    require(row.role, permission)
    return cast(Conversation, row)


@Prepared
def _mine(user: UUID, id_: UUID) -> QuerySet[Conversation, Any]:
    mine = Conversation.objects.filter(members__user=user).annotate(role=F("members__role"))  # in this order: one join
    return mine.filter(id=id_)


def shown_conversation(user: User, id_: UUID) -> Conversation:
    """The conversation as `visible_conversations` gives it. Raises Problem `not_found`."""
    row = _visible.first(user=user.id, id_=id_)
    if row is None:
        raise Problem("not_found")
    return row


@Prepared
def _visible(user: UUID, id_: UUID) -> QuerySet[Conversation, Any]:
    return visible_conversations(user).filter(id=id_)


def visible_conversations(user: UUID) -> QuerySet[Conversation, Any]:
    """Every conversation of which a user is a member, annotated for `wire_conversation`."""
    mine = Member.objects.filter(conversation=OuterRef("pk"), user=user)
    others = (
        Message.objects.visible()
        .filter(conversation=OuterRef("pk"), seq__gt=OuterRef("read_seq"))
        .exclude(Q(author_id=str(user)) | Q(role=Message.Role.SYSTEM))
        .order_by()
        .values("conversation")
        .annotate(n=Count("pk"))
    )
    counts = (
        Member.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation").annotate(n=Count("pk"))
    )
    return Conversation.objects.filter(members__user=user).annotate(
        role=Subquery(mine.values("role")),
        read_seq=Subquery(mine.values("read_seq")),
        unread=Coalesce(Subquery(others.values("n")), 0),
        members_count=Coalesce(Subquery(counts.values("n")), 0),
    )


def listed_conversations(user: UUID) -> QuerySet[Conversation, Any]:
    """The same without those that were made for one question each of a batch of theirs, which lists them."""
    theirs = BatchRow.objects.filter(batch__user=user, batch__per_conversation=Batch.Where.EACH)
    asked = theirs.filter(conversation=OuterRef("pk"))
    return visible_conversations(user).filter(~Exists(asked))


def conversation_after(user: User, id_: UUID) -> Conversation:
    """The conversation for who just wrote to it, with `role` None where they left it by that."""
    row = _visible.first(user=user.id, id_=id_)
    return row or Conversation.objects.annotate(
        role=Value(None, CharField()), unread=Value(0), members_count=Count("members")
    ).get(id=id_)


def wire_conversation(row: Any) -> Json:
    """The public form of a row of `visible_conversations`."""
    return wire.conversation(row, role=row.role, unread=row.unread, members_count=row.members_count)


def role_of(user_id: UUID, conversation: UUID) -> str | None:
    return standing_of(user_id, conversation)[0]


def standing_of(user_id: UUID, conversation: UUID) -> tuple[str | None, int]:
    """The role of a user as `role_of` gives it, and the head of the log at that moment (0 without a role)."""
    return rows.execute(STANDING, conversation, user_id).fetchone() or (None, 0)


def member_rows(conversation: UUID) -> QuerySet[Member]:
    """Members with their users, the first ones first. For callers that checked membership."""
    return Member.objects.filter(conversation=conversation).select_related("user").order_by("since", "id")


def members(conversation: UUID) -> list[Json]:
    """For callers that checked membership."""
    return [wire.member(row) for row in _members(conversation=conversation)]


@Prepared
def _members(conversation: UUID) -> QuerySet[Member, Member]:
    return member_rows(conversation).only("conversation", "user", "role", "since", "user__name", "user__username")
