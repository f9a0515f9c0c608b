"""What tests of runs share."""

from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.assistants import runner
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
    place: UUID = conversation or conversation_with(user)
    ask(user, place)
    claim = runs.claim(conversation=place, worker="test")
    assert claim
    return place, claim


async def answered(user: User, text: str, conversation: UUID | None = None) -> Run:
    """The run of a question that the real runner answered, ended."""
    if conversation is None:
        conversation = await in_thread(conversation_with, user, "openai")
    run = await in_thread(ask, user, conversation, text)
    await runner.take_turn(conversation)
    return await Run.objects.aget(id=run.id)


async def ending(run: Run) -> dict[str, Any]:
    """The data of its `run:end`."""
    events = await in_thread(selectors.events, run.conversation_id, 0, 1000)
    found: dict[str, Any] = next(
        event["data"] for event in events if event["type"] == "run:end" and event["data"]["run"] == str(run.id)
    )
    return found
