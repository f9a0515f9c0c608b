"""Making the rows anew from the log."""

from uuid import UUID

from django.db import connection, transaction

from conversations.models import Conversation, Event, Feedback, Member, Message, Run
from conversations.projections.projector import Projector
from conversations.projections.registry import apply


@transaction.atomic
def rebuild(conversation_id: UUID) -> None:
    """Throw the projections of one conversation away and make them anew from its log, under its lock.

    What is not in the log survives: leases and contexts of runs, stored chunks, read markers. Of an erased conversation
    the log tells nothing any more; what is there stays.
    """
    conversation = Conversation.objects.select_for_update().get(id=conversation_id)
    if conversation.erased:
        return
    runs = list(Run.objects.filter(conversation=conversation))
    reads = dict(Member.objects.filter(conversation=conversation).values_list("user_id", "read_seq"))
    _empty(conversation)
    projector = Projector()
    for event in Event.objects.filter(conversation=conversation).order_by("seq").iterator():
        apply(projector, conversation, event)
        conversation.updated_at = event.at
    projector.flush()
    Run.objects.bulk_update(runs, Run.NOT_IN_THE_LOG)
    for user_id, seq in reads.items():
        Member.objects.filter(conversation=conversation, user_id=user_id).update(read_seq=seq)
    conversation.save()


def _empty(conversation: Conversation) -> None:
    """Delete the derived rows. Runs by SQL: their chunks stay, which refer to rows that come back below
    (the constraint is checked at COMMIT)."""
    for model in (Message, Member, Feedback):
        model._default_manager.filter(conversation=conversation).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM conversations_run WHERE conversation_id = %s", [conversation.id])
    conversation.title = conversation.title_event = conversation.assistant = conversation.active_run = None
    conversation.archived_at = None
    conversation.status, conversation.tags, conversation.metadata = Conversation.Status.OPEN, [], {}
    conversation.version = 1
    conversation.uncount()
