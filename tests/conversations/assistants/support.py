"""What tests of runs share."""

from uuid import UUID

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.models import Run
from conversations.services import conversations, messages, runs


def conversation_with(user: User, assistant: str = "guide") -> UUID:
    """A new conversation in which every message asks for an answer."""
    return conversations.create(user=user, assistant=assistant).result(10).conversation.id


def ask(user: User, conversation: UUID, text: str = "say hello") -> Run:
    """Say something that an assistant is to answer; its run, queued."""
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id())).result(10)
    return Run.objects.get(id=sent.main["data"]["run"])


def asked(user: User, conversation: UUID | None = None) -> tuple[UUID, runs.Claim]:
    """A message and its run, claimed by a worker that is this test."""
    place = conversation or conversation_with(user)
    ask(user, place)
    claim = runs.claim(conversation=place, worker="test")
    assert claim
    return place, claim
