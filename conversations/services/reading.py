"""How far somebody has read."""

from uuid import UUID

from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Least

from accounts.models import User
from conversations.models import Conversation, Member


def mark_read(*, user: User, conversation: UUID, seq: int) -> None:
    """`user` has seen everything up to `seq`, or to the head where that is less. The mark only ever grows.

    It is no event of the log: it concerns nobody else, and the last writer may win.
    """
    head = Conversation.objects.filter(pk=OuterRef("conversation")).values("last_seq")
    mine = Member.objects.filter(conversation=conversation, user=user, read_seq__lt=seq)
    mine.annotate(head=Subquery(head)).filter(read_seq__lt=F("head")).update(read_seq=Least(seq, Subquery(head)))
