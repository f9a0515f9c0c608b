"""Conversations that wait for a person, and people who take them."""

from typing import Any
from uuid import UUID

from accounts.models import User
from conversations.models import Conversation
from conversations.services import handoff
from tests.conversations.admin.conftest import new_staff
from tests.conversations.assistants.support import conversation_with
from tests.conversations.support import frames


def desk() -> User:
    """Somebody of staff who answers."""
    return new_staff("Dora", "answer_as_agent")


def standing(conversation: UUID) -> tuple[str, UUID | None]:
    row = Conversation.objects.get(id=conversation)
    return row.status, row.agent


def waiting(user: User, reason: str | None = None) -> UUID:
    conversation = conversation_with(user)
    handoff.hand_off(user=user, conversation=conversation, reason=reason).result(30)
    return conversation


def taken(user: User) -> tuple[UUID, User]:
    conversation, agent = waiting(user), desk()
    handoff.claim(user=agent, conversation=conversation).result(30)
    return conversation, agent


def told(conversation: UUID) -> list[Any]:
    """What of the log is about who answers."""
    return [(one["data"]["to"], one["actor"]["kind"]) for one in handed(conversation)]


def handed(conversation: UUID) -> list[Any]:
    return [one for one in frames(conversation) if one["type"] == "conversation:handoff"]
