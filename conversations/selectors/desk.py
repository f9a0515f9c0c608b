"""What waits for a person, and what people are at."""

from typing import Any

from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from accounts.models import User
from conversations import keys, wire
from conversations.models import Conversation, DeskEntry, Event, Member

WAITING, WITH_AGENT = Conversation.HUMAN


def desk() -> QuerySet[DeskEntry, Any]:
    """Conversations in which people answer, those that wait first, the longest waiting of them first; each with the
    event of its last handoff: `handed_at`, `handed_event`, and `reason` as it is stored. For staff who may answer."""
    handed = Event.objects.filter(conversation=OuterRef("pk"), type="conversation:handoff").order_by("-seq")
    return (
        DeskEntry.objects.filter(status__in=Conversation.HUMAN, erased_at=None)
        .annotate(
            rank=Case(When(status=WAITING, then=Value(0)), default=Value(1)),
            handed_at=Subquery(handed.values("at")[:1]),
            handed_event=Subquery(handed.values("id")[:1]),
            reason=Subquery(handed.values("data__reason")[:1]),
        )
        .select_related("owner")
        .order_by("rank", "handed_at", "id")
    )


def desk_of(user: User) -> QuerySet[DeskEntry, Any]:
    """The same, annotated for `wire_conversation`: `role` is None where `user` is no member, to whom nothing there is
    unread."""
    members = Member.objects.filter(conversation=OuterRef("pk")).order_by()
    counts = members.values("conversation").annotate(n=Count("pk"))
    return desk().annotate(
        role=Subquery(members.filter(user=user).values("role")),
        unread=Value(0),
        members_count=Coalesce(Subquery(counts.values("n")), 0),
    )


def reason_of(row: Any) -> str | None:
    """Why a person was asked for, of a row of `desk`. Raises Problem `not_found`, CryptoError."""
    keys.of_row(row)
    return wire.opened(row.reason, row.id, row.handed_event, "reason")
