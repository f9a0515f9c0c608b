"""Who answers after a `conversation:handoff`. Pure; shared by projections and fold, so that both mean the same."""

from uuid import UUID

from conversations.models import Conversation, Event

# What `to` says where it is not the id of the user who answers from now on.
HUMAN = "human"
ASSISTANT = "assistant"
_STATUS = {HUMAN: Conversation.Status.WAITING, ASSISTANT: Conversation.Status.OPEN}


def after(event: Event) -> tuple[str, UUID | None]:
    """Status and agent of the conversation."""
    to = event.data["to"]
    status = _STATUS.get(to, Conversation.Status.WITH_AGENT)
    return status.value, UUID(to) if status == Conversation.Status.WITH_AGENT else None
