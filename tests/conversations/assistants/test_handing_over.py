"""An assistant that cannot go on hands its conversation over to a person."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.assistants.base import Turn
from conversations.models import Conversation, Run
from tests.conversations.assistants.support import ask, conversation_with, ending
from tests.conversations.support import frames, replayed


class Clerk:
    """Looks it up, and asks for a colleague."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Let me get a colleague.")
        async with turn.step("tool", "look it up") as step:
            step.output = "nothing"
            await turn.hand_over("wants a refund")


@pytest.fixture(autouse=True)
def clerk() -> Iterator[None]:
    with override_settings(ASSISTANTS={"clerk": f"{__name__}.Clerk"}):
        yield


async def test_the_answer_ends_and_a_person_is_asked_for(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "clerk")
    run = await in_thread(ask, alice, conversation, "My money, please")
    second = await in_thread(ask, alice, conversation, "Hello?")
    await runner.take_turn(conversation)
    end = await ending(run)
    assert (end["status"], end["text"]) == ("completed", "Let me get a colleague.")
    log = await in_thread(frames, conversation)
    assert [one["data"] for one in log if one["type"] == "conversation:handoff"] == [
        {"to": "human", "reason": "wants a refund"}
    ]
    assert [one["data"]["status"] for one in log if one["type"] == "run:step"] == ["running", "completed"]
    assert (await Conversation.objects.aget(id=conversation)).status == "waiting"
    assert (await Run.objects.aget(id=second.id)).status == "stopped"
    await in_thread(replayed, conversation)
