"""What an assistant is sent of a conversation."""

from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from conversations import wire
from conversations.models import Message


def history(conversation: UUID, reply_to: UUID, limit: int) -> list[tuple[str, str]]:
    """(role, text) of the turns up to the message `reply_to`, oldest first: what an assistant is sent.

    An answer stands behind the message that it answers, even where others wrote in between; answers to
    later messages are not in it (PROTOCOL.md section 4, `run:start`).
    """
    asked = Message.objects.get(id=reply_to)
    rows = (
        Message.objects.visible()
        .filter(conversation=conversation)
        .annotate(
            anchor=Coalesce(
                Subquery(Message.objects.filter(id=OuterRef("reply_to"), role="user").values("seq")), F("seq")
            )
        )
    )
    before = Q(anchor__lt=asked.seq) | Q(id=asked.id)
    newest = rows.filter(before).exclude(status=Message.Status.STREAMING).order_by("-anchor", "-seq")[:limit]
    texts = [(row.role, wire.message_text(row)) for row in reversed(newest)]
    return [(role, text) for role, text in texts if text]
