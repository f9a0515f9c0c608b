"""The time to the first stored piece of an answer is measured, once for each run."""

import asyncio
import time

from pytest_django import Settings

from accounts.models import User
from chatproject.lib import metrics
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.models import Run
from conversations.services import conversations
from tests.conversations.assistants.support import ask, conversation_with
from tests.conversations.assistants.test_turns import until
from tests.provider import Provider


def measured() -> tuple[float, float]:
    """How many runs were measured, and the sum of their seconds."""
    [metric] = metrics.first_delta.collect()
    values = {sample.name: sample.value for sample in metric.samples if not sample.labels}
    return values["run_first_delta_seconds_count"], values["run_first_delta_seconds_sum"]


async def test_it_is_measured_once_for_a_run_of_many_pieces(alice: User) -> None:
    creating = conversations.create(user=alice, assistant="guide", message="hello")
    conversation = (await in_thread(creating.result)).conversation.id
    count, seconds = measured()
    await runner.take_turn(conversation)
    after, total = measured()
    assert after == count + 1
    assert 0 < total - seconds < 10


async def test_the_first_piece_goes_at_once_and_the_others_are_gathered(
    alice: User, provider: Provider, settings: Settings
) -> None:
    settings.DELTA_MS = 3000
    place = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, place, "slow 20 50")
    began = time.monotonic()
    turn = asyncio.create_task(runner.take_turn(place))
    await until(lambda: Run.objects.get(id=run.id).stored)
    assert time.monotonic() - began < 2.5
    assert (await Run.objects.aget(id=run.id)).stored <= len("word0 ")
    await turn
