"""What is left of an answer that was stopped: its text, flagged; its open steps, closed; and what is sent later."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.assistants.base import Turn
from conversations.models import Message, Run
from conversations.services import messages, runs
from tests.api import Api
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.conversations.assistants.test_turns import stored, until
from tests.conversations.support import replayed
from tests.provider import Provider


class Works:
    """Calls one tool, says a word, and calls another that takes for ever."""

    async def answer(self, turn: Turn) -> None:
        async with turn.step("tool", "look", {"at": "map"}) as step:
            step.output = "north"
        await turn.emit("Going north ")
        async with turn.step("tool", "walk", {"to": "north"}):
            await asyncio.sleep(3600)


@pytest.fixture(autouse=True)
def ours() -> Iterator[None]:
    openai = "conversations.assistants.builtin.openai.OpenAIAssistant"
    with override_settings(ASSISTANTS={"works": f"{__name__}.Works", "openai": openai}):
        yield


async def stopped(alice: User, conversation: UUID) -> Run:
    """A run of `works` that was stopped in its second tool call."""
    run = await in_thread(ask, alice, conversation, "Go north")
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: stored(run) and len(Run.objects.get(id=run.id).steps) == 2)
    await in_thread(runs.stop(user=alice, run=run).result, 10)
    await turn
    return await Run.objects.aget(id=run.id)


@pytest.mark.usefixtures("watching")
async def test_its_text_is_kept_and_flagged_and_its_open_call_is_closed(alice: User, as_alice: Api) -> None:
    conversation = await in_thread(conversation_with, alice, "works")
    run = await stopped(alice, conversation)
    end = await ending(run)
    assert (end["status"], end["text"]) == ("stopped", "Going north ")
    shown = (await in_thread(as_alice.get, f"runs/{run.id}/")).json
    assert [(step["name"], step["status"]) for step in shown["steps"]] == [("look", "completed"), ("walk", "stopped")]
    assert (await Message.objects.aget(id=end["message"])).status == "stopped"
    await in_thread(replayed, conversation)


@pytest.mark.usefixtures("watching")
async def test_what_a_later_context_has_of_it(alice: User, provider: Provider) -> None:
    """docs/context.md: the text, and the calls that had a result."""
    conversation = await in_thread(conversation_with, alice, "works")
    await stopped(alice, conversation)
    await in_thread(_ask_model, alice, conversation)
    await runner.take_turn(conversation)
    sent: list[dict[str, Any]] = provider.last.body["messages"][1:]
    assert [(one["role"], one.get("content")) for one in sent] == [
        ("user", "Go north"),
        ("assistant", None),
        ("tool", "north"),
        ("assistant", "Going north "),
        ("user", "say and now"),
    ]
    assert [call["function"]["name"] for one in sent for call in one.get("tool_calls", ())] == ["look"]


async def test_one_that_said_nothing_is_not_sent(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    await answered(alice, "status 404", conversation)
    await answered(alice, "say hello", conversation)
    assert [one["content"] for one in provider.last.body["messages"][1:]] == ["status 404", "say hello"]


def _ask_model(alice: User, conversation: UUID) -> None:
    messages.send(user=alice, conversation=conversation, text="say and now", cmid="now", assistant="openai").result(10)
