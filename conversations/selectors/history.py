"""What an assistant is sent of a conversation."""

from uuid import UUID

from django.db.models import Q

from conversations import wire
from conversations.models import Message


def history(conversation: UUID, reply_to: UUID, limit: int) -> list[tuple[str, str]]:
    """(role, text) of the turns up to the message `reply_to`, oldest first: what an assistant is sent.

    An answer stands behind the message that it answers, even where others wrote in between; answers to
    later messages are not in it (PROTOCOL.md section 4, `run:start`).
    """
    asked = Message.objects.get(id=reply_to)
    rows = Message.objects.visible().filter(
        Q(anchor__lt=asked.seq) | Q(id=asked.id), conversation=conversation, text__isnull=False
    )
    newest = rows.order_by("-anchor", "-seq")[:limit]
    texts = [(row.role, wire.message_text(row)) for row in reversed(newest)]
    return [(role, text) for role, text in texts if text]
