"""How far somebody has read."""

from uuid import UUID

from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Least

from accounts.models import User
from conversations.models import Conversation, Member
from conversations.publishing import publish


def mark_read(*, user: User, conversation: UUID, seq: int) -> None:
    """`user` has seen everything up to `seq`, or to the head where that is less. The mark only ever grows.

    It is no event of the log: it concerns nobody else's work, and the larger mark wins. Whoever is in the room
    is told (`user:read`) where it grew.
    """
    head = Conversation.objects.filter(pk=OuterRef("conversation")).values("last_seq")
    mine = Member.objects.filter(conversation=conversation, user=user, read_seq__lt=seq)
    grown = mine.annotate(head=Subquery(head)).filter(read_seq__lt=F("head"))
    if grown.update(read_seq=Least(seq, Subquery(head))):
        read_seq = Member.objects.values_list("read_seq", flat=True).get(conversation=conversation, user=user)
        who = {"id": str(user.id), "name": user.display_name}
        frame = {"type": "user:read", "conversation": str(conversation), "user": who, "seq": read_seq}
        publish({conversation: [frame]})
