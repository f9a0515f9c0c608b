"""Feedback on messages, and how often each mark was given in a conversation."""

from uuid import UUID

from conversations.models import Conversation, Event, Feedback
from conversations.projections.projector import Projector
from conversations.projections.registry import on


@on("message:feedback")
def _message_feedback(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    message = UUID(data["message"])
    row = Feedback.objects.filter(conversation=conversation, message=message, user=event.actor_id).first()
    row = row or Feedback(conversation=conversation, message=message, user=event.actor_id)
    _count(conversation, row, -1)
    row.rating, row.solved, row.copied, row.comment = data["rating"], data["solved"], data["copied"], data["comment"]
    row.event, row.at = event.id, event.at
    _count(conversation, row, 1)
    row.save()


def _count(conversation: Conversation, row: Feedback, by: int) -> None:
    """Add the marks of `row` to the counters, or take them away."""
    conversation.up += by * (row.rating == Feedback.Rating.UP)
    conversation.down += by * (row.rating == Feedback.Rating.DOWN)
    conversation.solved += by * row.solved
    conversation.copied += by * row.copied
