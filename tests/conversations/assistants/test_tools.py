"""A model that calls tools: as steps, with approval where they do something, across restarts; and what is made."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.assistants.base import AssistantError, Turn
from conversations.models import File, Message, Run
from conversations.services import answering, runs
from tests.api import Api
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.conversations.support import frames, replayed
from tests.provider import Provider

NUMBERS = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a"]}
paid: list[int] = []


class Add:
    """Adds two numbers."""

    name, description, schema, side_effects = "add", "Adds a and b.", NUMBERS, False

    async def call(self, turn: Turn, arguments: dict[str, int]) -> Any:
        if arguments["a"] < 0:
            raise AssistantError("negative", "Only positive numbers.")
        return {"sum": arguments["a"] + arguments.get("b", 0)}


class Pay:
    """Does what cannot be undone."""

    name, description, schema, side_effects = "pay", "Pays an amount.", NUMBERS, True

    async def call(self, turn: Turn, arguments: dict[str, int]) -> Any:
        paid.append(arguments["a"])
        return "paid"


class Painter:
    """Makes a file, asks, and makes it again when it goes on."""

    async def answer(self, turn: Turn) -> None:
        await turn.artefact("plan.csv", "text/csv", b"a,b\n1,2\n")
        if await turn.ask("approval", {"title": "Paint?"}):
            await turn.emit("Painted.")


@pytest.fixture(autouse=True)
def offered() -> Iterator[None]:
    tools = {"add": f"{__name__}.Add", "pay": f"{__name__}.Pay"}
    paid.clear()
    assistants = {
        "openai": "conversations.assistants.builtin.openai.OpenAIAssistant",
        "painter": f"{__name__}.Painter",
    }
    with override_settings(TOOLS=tools, OPENAI_TOOLS=["add", "pay"], ASSISTANTS=assistants):
        yield


def steps(conversation: UUID, kind: str = "tool") -> list[tuple[str, str]]:
    told = [event["data"] for event in frames(conversation) if event["type"] == "run:step"]
    return [(step["name"], step["status"]) for step in told if step["kind"] == kind]


async def test_tools_are_called_as_steps_and_their_results_told(alice: User, provider: Provider) -> None:
    run = await answered(alice, 'tool add {"a": 1, "b": 2}; add {"a": 5}')
    assert (await ending(run))["text"] == 'The tools say: {"sum":3}, {"sum":5}'
    assert await in_thread(steps, run.conversation_id) == [("add", "running"), ("add", "completed")] * 2
    first, second = provider.requests
    assert {tool["function"]["name"] for tool in first.body["tools"]} == {"add", "pay"}
    assert [message["role"] for message in second.body["messages"][-3:]] == ["assistant", "tool", "tool"]
    assert (await ending(run))["usage"] == {"input_tokens": 22, "output_tokens": 14}, "both calls of the model"
    await in_thread(replayed, run.conversation_id)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('add {"a": "one"}', "tool_arguments"),
        ("add no-json", "tool_arguments"),
        ('add {"a": -1}', "negative"),
        ("fly {}", "There is no tool fly."),
    ],
)
async def test_a_call_that_cannot_be_done_is_told_to_the_model(
    alice: User, provider: Provider, call: str, told: str
) -> None:
    end = await ending(await answered(alice, f"tool {call}"))
    assert end["status"] == "completed"
    assert told in end["text"]


@pytest.mark.parametrize(("allowed", "said"), [(True, "paid"), (False, "did not allow")])
async def test_what_has_effects_is_done_once_and_only_when_a_person_says_so(
    alice: User, provider: Provider, allowed: bool, said: str
) -> None:
    """The question outlives the worker: the model is not asked once more for what it wanted."""
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, conversation, 'tool add {"a": 1}; pay {"a": 7}')
    await runner.take_turn(conversation)
    asked = [event["data"] for event in await in_thread(frames, conversation) if event["type"] == "run:ask"]
    assert [(one["kind"], one["schema"]["title"]) for one in asked] == [("approval", "pay")]
    assert not paid
    waiting = await Run.objects.aget(id=run.id)
    answering.answer(user=alice, run=waiting, step=asked[0]["step"], value=allowed).result(10)
    await runner.take_turn(conversation)
    end = await ending(await Run.objects.aget(id=run.id))
    assert said in end["text"]
    assert '{"sum":1}' in end["text"]
    assert paid == ([7] if allowed else [])
    assert len(provider.requests) == 2
    await in_thread(replayed, conversation)


async def test_a_model_that_never_stops_calling(alice: User, provider: Provider) -> None:
    with override_settings(TOOL_ROUNDS=1):
        end = await ending(await answered(alice, 'tool add {"a": 1}'))
    assert (end["status"], end["error"]["code"]) == ("failed", "tool_rounds")


async def test_a_tool_that_is_not_there_any_more(alice: User, provider: Provider) -> None:
    with override_settings(TOOLS={}):
        end = await ending(await answered(alice, "say hello"))
    assert end["error"]["code"] == "tool_unknown"


async def test_a_file_that_an_assistant_makes_is_carried_by_its_answer_once(alice: User, as_alice: Api) -> None:
    conversation = await in_thread(conversation_with, alice, "painter")
    run = await in_thread(ask, alice, conversation, "Paint")
    await runner.take_turn(conversation)
    asked = [event["data"] for event in await in_thread(frames, conversation) if event["type"] == "run:ask"]
    waiting = await Run.objects.aget(id=run.id)
    answering.answer(user=alice, run=waiting, step=asked[0]["step"], value=True).result(10)
    await runner.take_turn(conversation)
    end = await ending(await Run.objects.aget(id=run.id))
    [part] = end["parts"]
    row = await File.objects.aget(conversation=conversation)
    answer = await Message.objects.aget(id=end["message"])
    assert (part, answer.parts, row.message) == ({"type": "file", "id": str(row.id)}, [part], answer.id)
    got = await in_thread(as_alice.get, f"files/{row.id}/")
    assert (got.status, await in_thread(lambda: got.body)) == (200, b"a,b\n1,2\n")
    await in_thread(replayed, conversation)


async def test_a_file_that_cannot_be_kept_fails_the_answer(alice: User) -> None:
    with override_settings(FILE_TYPES=["image/*"]):
        end = await ending(await answered(alice, "Paint", await in_thread(conversation_with, alice, "painter")))
    assert (end["status"], end["error"]["code"]) == ("failed", "artefact_refused")


async def test_a_file_of_a_stopped_answer_is_kept(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "painter")
    run = await in_thread(ask, alice, conversation, "Paint")
    await runner.take_turn(conversation)
    await in_thread(runs.stop(user=alice, run=run).result, 10)
    end = await ending(await Run.objects.aget(id=run.id))
    assert (end["status"], len(end["parts"])) == ("stopped", 1)
    await in_thread(replayed, conversation)
