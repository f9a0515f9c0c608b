"""What waits for a person, and what people are at."""

from typing import Any

from django.db.models import Case, OuterRef, QuerySet, Subquery, Value, When

from conversations.models import Conversation, DeskEntry, Event

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
