"""The examples of docs/assistants.md do what the page says: each is one file, and it runs."""

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.models import Run
from conversations.services import answering
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.conversations.support import frames
from tests.docs.pages import BASE, code
from tests.provider import Provider

NAMES = ("Echo", "Refund")


@pytest.fixture(autouse=True)
def written() -> Iterator[None]:
    """The page's files, as if somebody had written them."""
    blocks = code((BASE / "docs/assistants.md").read_text(), "python")
    for name in NAMES:
        module = ModuleType(f"page_{name.lower()}")
        [block] = [block for block in blocks if f"class {name}" in block]
        exec(compile(block, "docs/assistants.md", "exec"), module.__dict__)
        sys.modules[module.__name__] = module
    openai = "conversations.assistants.builtin.openai.OpenAIAssistant"
    with override_settings(
        ASSISTANTS={"echo": "page_echo.Echo", "openai": openai},
        TOOLS={"refund": "page_refund.Refund"},
        OPENAI_TOOLS=["refund"],
    ):
        yield
    for name in NAMES:
        del sys.modules[f"page_{name.lower()}"]


async def test_the_assistant_answers_and_fails_in_its_own_words(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "echo")
    end = await ending(await answered(alice, "good morning", conversation))
    assert (end["status"], end["text"]) == ("completed", "good morning ")
    end = await ending(await answered(alice, "please fail", conversation))
    assert (end["status"], end["error"]["code"]) == ("failed", "echo_refused")


async def test_the_tool_is_called_when_a_person_allows_it(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, conversation, 'tool refund {"order": "A-1"}')
    await runner.take_turn(conversation)
    [asked] = [event["data"] for event in await in_thread(frames, conversation) if event["type"] == "run:ask"]
    waiting = await Run.objects.aget(id=run.id)
    await in_thread(answering.answer(user=alice, run=waiting, step=asked["step"], value=True).result, 10)
    await runner.take_turn(conversation)
    assert (await ending(await Run.objects.aget(id=run.id)))["text"] == 'The tools say: {"refunded":"A-1"}'
