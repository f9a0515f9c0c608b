"""Assistants recall what fell out of their context: as the sources of a step, and told to the model."""

from uuid import UUID

import pytest
from django.conf import LazySettings

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants.turn import RunningTurn
from conversations.context import reports
from conversations.models import Run
from conversations.services import conversations, messages, revisions, runs
from tests.conversations.assistants.support import answered, conversation_with
from tests.provider import Provider

SMALL = {"openai": {"system": "Be kind.", "model": "gpt-4o-mini", "strategy": "recent", "max_tokens": 200}}


@pytest.fixture
def forgetful(settings: LazySettings, provider: Provider) -> Provider:
    """A model with a very small context, that is told of one earlier message."""
    settings.ASSISTANT_CONTEXTS, settings.OPENAI_RECALL = SMALL, 1
    return provider


async def long_talk(user: User) -> UUID:
    conversation = await in_thread(conversation_with, user, "openai")
    for text in ("say the password of the heron is 1234", *(f"say {'filling ' * 30}{n}" for n in range(3))):
        await answered(user, text, conversation)
    return conversation


async def test_the_model_is_told_of_what_it_forgot(alice: User, forgetful: Provider) -> None:
    conversation = await long_talk(alice)
    run = await answered(alice, "say which password has the heron?", conversation)
    [step] = [step for step in run.steps if step["name"] == "recall"]
    assert (step["kind"], step["status"]) == ("retrieval", "completed")
    system = forgetful.last.body["messages"][0]
    assert system["role"] == "system"
    assert system["content"].startswith("Be kind.\n\nSaid earlier in this conversation")
    assert "the password of the heron is 1234" in system["content"]
    report = await in_thread(reports.public, await Run.objects.aget(id=run.id))
    assert report["messages"][0]["text"] == system["content"]
    assert report["tokens"] <= 200


async def test_nothing_is_recalled_while_everything_fits(alice: User, forgetful: Provider) -> None:
    run = await answered(alice, "say something")
    assert run.steps == []
    assert forgetful.last.body["messages"][0]["content"] == "Be kind."


async def test_off_by_default(alice: User, forgetful: Provider, settings: LazySettings) -> None:
    settings.OPENAI_RECALL = 0
    conversation = await long_talk(alice)
    run = await answered(alice, "say which password has the heron?", conversation)
    assert run.steps == []


async def test_the_sources_of_the_step(alice: User) -> None:
    conversation = (await in_thread(conversations.create(user=alice).result)).conversation.id
    first = await in_thread(said, alice, conversation, "A heron is a bird")
    deleted = await in_thread(said, alice, conversation, "This heron was deleted")
    await in_thread(revisions.delete(user=alice, conversation=conversation, message=deleted).result)
    await in_thread(conversations.create(user=alice, message="A heron elsewhere").result)
    await in_thread(said, alice, conversation, "Which heron?", "guide")
    claim = await in_thread(lambda: runs.claim(conversation=conversation, worker="test"))
    await in_thread(said, alice, conversation, "A heron, said later")
    assert claim
    turn = RunningTurn(claim)
    [source] = await turn.recall("which heron?", 5)
    assert (source["message"], source["role"], source["text"]) == (str(first), "user", "A heron is a bird")
    assert source["score"] > 0
    assert await turn.recall("heron", 5, known=[source["seq"]]) == []
    assert await turn.recall("…", 5) == []


def said(user: User, conversation: UUID, text: str, assistant: str | None = None) -> UUID:
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id()), assistant=assistant)
    return UUID(sent.result().main["data"]["message"])
