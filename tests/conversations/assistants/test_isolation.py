"""A broken assistant fails alone: time, places, the breaker, patience with providers."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants import calling, runner
from conversations.assistants.base import AssistantError, Turn
from conversations.assistants.composing.asides import Aside
from conversations.assistants.isolation import breaker, intime, tallies
from conversations.models import Run
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.provider import Provider
from tests.sockets import Socket


class Quick:
    """Answers at once."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Quick.")


class Hangs:
    """Says a word and then nothing, and does not want to end."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Wait ")
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if stubborn:
                    continue
                raise


class Silent:
    """Never says a word."""

    async def answer(self, turn: Turn) -> None:
        await asyncio.sleep(3600)


class Chatty:
    """Goes on and on."""

    async def answer(self, turn: Turn) -> None:
        while True:
            await turn.emit("word ")
            await asyncio.sleep(0.05)


class Moody:
    """Fails when it is told to."""

    async def answer(self, turn: Turn) -> None:
        if failing:
            raise RuntimeError("moody")
        await turn.emit("Fine.")


class Slow:
    """Takes a while, and says a word now and then."""

    async def answer(self, turn: Turn) -> None:
        for _ in range(8):
            await turn.emit("word ")
            await asyncio.sleep(0.1)


class Around:
    """Asks another one, and says nothing itself until that is done."""

    async def answer(self, turn: Turn) -> None:
        aside = Aside(turn, "slow")
        await calling.answer("slow", aside)
        await turn.emit(aside.text)


stubborn: list[bool] = []
failing: list[bool] = []


@pytest.fixture(autouse=True)
def ours() -> Iterator[None]:
    stubborn.clear()
    failing.clear()
    names = ("quick", "hangs", "silent", "chatty", "moody", "slow", "around")
    paths = {name: f"{__name__}.{name.capitalize()}" for name in names}
    openai = {"openai": "conversations.assistants.builtin.openai.OpenAIAssistant"}
    # Breakers are kept for a while: each test has assistants of its own.
    own = f"moody-{new_id().hex[-8:]}"
    with override_settings(ASSISTANTS={**openai, **paths, own: paths["moody"]}, OWN=own):
        yield


async def run_of(alice: User, assistant: str, text: str = "Go") -> dict[str, Any]:
    return await ending(await answered(alice, text, await in_thread(conversation_with, alice, assistant)))


@pytest.mark.parametrize(
    ("assistant", "limit", "text"),
    [
        ("silent", {"ASSISTANT_FIRST_TOKEN_SECONDS": 0.3}, ""),
        ("hangs", {"ASSISTANT_STALL_SECONDS": 0.3}, "Wait "),
        ("chatty", {"ASSISTANT_TOTAL_SECONDS": 0.5}, "word word "),
    ],
)
async def test_what_takes_too_long_is_ended_and_keeps_what_it_said(
    alice: User, assistant: str, limit: dict[str, float], text: str
) -> None:
    begun = time.monotonic()
    with override_settings(**limit):
        end = await run_of(alice, assistant)
    assert (end["status"], end["error"]["code"]) == ("failed", "assistant_timeout")
    assert end["text"].startswith(text)
    assert time.monotonic() - begun < 3


@override_settings(ASSISTANT_FIRST_TOKEN_SECONDS=0.4, ASSISTANT_STALL_SECONDS=0.4)
async def test_one_that_asks_another_lives_while_that_does(alice: User) -> None:
    end = await run_of(alice, "around")
    assert (end["status"], end["text"]) == ("completed", "word " * 8)


async def test_one_that_does_not_end_when_told_to_is_given_up(alice: User) -> None:
    stubborn.append(True)
    with override_settings(ASSISTANT_STALL_SECONDS=0.2), patch.object(intime, "GRACE_SECONDS", 0.2):
        end = await run_of(alice, "hangs")
    assert (end["status"], end["text"], end["error"]["code"]) == ("failed", "Wait ", "assistant_timeout")
    stubborn.clear()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if "_entered" in repr(task):
            task.cancel()


async def test_one_that_hangs_takes_up_no_more_than_its_own_places(alice: User) -> None:
    """Two may hang and one may wait; the fourth is told at once, and others do not notice."""
    places = [await in_thread(conversation_with, alice, "silent") for _ in range(4)]
    asked = [await in_thread(ask, alice, place, "Go") for place in places]
    with override_settings(ASSISTANT_CONCURRENCY=2, ASSISTANT_QUEUE=1, ASSISTANT_FIRST_TOKEN_SECONDS=2):
        turns = [asyncio.create_task(runner.take_turn(place)) for place in places]
        await asyncio.sleep(0.5)
        ended = [run async for run in Run.objects.filter(id__in=[run.id for run in asked]).exclude(ended_at=None)]
        assert [(await ending(run))["error"]["code"] for run in ended] == ["assistant_busy"]
        begun = time.monotonic()
        assert (await run_of(alice, "quick"))["status"] == "completed"
        assert time.monotonic() - begun < 1
        await asyncio.gather(*turns)
    codes = sorted([(await ending(await Run.objects.aget(id=run.id)))["error"]["code"] for run in asked])
    assert codes == ["assistant_busy", *["assistant_timeout"] * 3]


async def test_the_breaker_opens_probes_and_closes(alice: User, settings: Any) -> None:
    """19 failures are too few to say; with the 20th it is left alone, then one call tries."""
    name = settings.OWN
    failing.append(True)
    with override_settings(BREAKER_OPEN_SECONDS=1, BREAKER_CALLS=20):
        for _ in range(20):
            assert await in_thread(breaker.state, name) == "closed"
            assert (await run_of(alice, name))["error"]["code"] == "assistant_error"
        assert await in_thread(breaker.state, name) == "open"
        assert (await run_of(alice, name))["error"]["code"] == "assistant_suspended"
        await asyncio.sleep(1.1)
        assert await in_thread(breaker.state, name) == "half-open"
        assert (await run_of(alice, name))["error"]["code"] == "assistant_error"
        assert await in_thread(breaker.state, name) == "open", "the probe failed"
        await asyncio.sleep(1.1)
        failing.clear()
        assert (await run_of(alice, name))["text"] == "Fine."
        assert await in_thread(breaker.state, name) == "closed"


@override_settings(BREAKER_CALLS=20)
async def test_few_failures_among_many_calls_are_no_reason(alice: User, settings: Any) -> None:
    name = settings.OWN
    for number in range(25):
        failing[:] = [True] if number == 3 else []
        await run_of(alice, name)
    assert await in_thread(breaker.state, name) == "closed"


@override_settings(BREAKER_CALLS=20)
async def test_without_redis_a_breaker_goes_by_what_it_saw(alice: User, settings: Any) -> None:
    name = settings.OWN
    failing.append(True)
    with patch.object(tallies, "volatile", _away):
        for _ in range(20):
            await run_of(alice, name)
        assert (await run_of(alice, name))["error"]["code"] == "assistant_suspended"


class _Away:
    """Redis that is away, as chatproject.lib.volatile tells it."""

    def count(self, *_: Any) -> None: ...
    def look(self, *_: Any) -> None: ...
    def put(self, *_: Any) -> None: ...
    def drop(self, *_: Any) -> None: ...
    def claim(self, *_: Any) -> bool:
        return True


def _away() -> _Away:
    return _Away()


@pytest.mark.parametrize("script", ["flaky 2 503", "flaky 2 500"])
async def test_what_failed_before_its_first_token_is_tried_again(alice: User, provider: Provider, script: str) -> None:
    end = await run_of(alice, "openai", script)
    assert (end["status"], end["text"]) == ("completed", f"You said: {script}")
    assert len(provider.requests) == 3


async def test_a_429_is_waited_for_by_its_retry_after(alice: User, provider: Provider) -> None:
    begun = time.monotonic()
    end = await run_of(alice, "openai", "flaky 2 429 1")
    assert (end["status"], len(provider.requests)) == ("completed", 3)
    assert time.monotonic() - begun >= 2
    first, second, third = (request.at for request in provider.requests)
    assert second - first >= 1
    assert third - second >= 1


async def test_a_429_is_not_waited_for_without_end(alice: User, provider: Provider) -> None:
    with override_settings(PROVIDER_WAIT_SECONDS=1):
        end = await run_of(alice, "openai", "flaky 9 429 30")
    assert (end["status"], end["error"]["code"]) == ("failed", "provider_busy")
    assert len(provider.requests) == 1


async def test_a_limited_provider_is_asked_as_often_as_it_allows_and_nobody_fails(
    alice: User, provider: Provider
) -> None:
    provider.per_second = 15
    places = [await in_thread(conversation_with, alice, "openai") for _ in range(40)]
    asked = [await in_thread(ask, alice, place, "say yes") for place in places]
    await asyncio.gather(*(runner.take_turn(place) for place in places))
    statuses = [run.status async for run in Run.objects.filter(id__in=[run.id for run in asked])]
    assert statuses == ["completed"] * 40
    assert provider.refused


async def test_the_room_is_told_what_goes_wrong(alice: User, alice_socket: Socket, provider: Provider) -> None:
    conversation: UUID = await in_thread(conversation_with, alice, "openai")
    await alice_socket.say(type="join", ref="1", conversation=str(conversation))
    await alice_socket.answer("1")
    run = await in_thread(ask, alice, conversation, "flaky 1 429 1")
    await runner.take_turn(conversation)
    frame = await alice_socket.hear("plugin:degraded")
    expected = {"conversation": str(conversation), "run": str(run.id), "plugin": "openai", "reason": "rate_limited"}
    assert frame == {"type": "plugin:degraded", **expected}


async def test_an_unknown_assistant_is_no_reason_for_a_breaker() -> None:
    with pytest.raises(AssistantError) as failed:
        await calling.answer("nobody", None)  # type: ignore[arg-type]
    assert failed.value.code == "assistant_unknown"
