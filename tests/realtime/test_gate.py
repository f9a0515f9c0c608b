"""Many who say hello at once: some are let in, some wait, the others are told their turn, one after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from django.conf import settings
from django.test import override_settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from realtime.gate import LEAST_SECONDS, LONGEST_SECONDS, Gate
from realtime.hub import hub
from tests.sockets import Frame, connect


@asynccontextmanager
async def full(gate: Gate) -> AsyncIterator[None]:
    """As many are inside as may be, and nobody may wait."""
    with override_settings(HELLO_WAITING=0):
        async with AsyncExitStack() as stack:
            for _ in range(settings.HELLO_AT_ONCE):
                await stack.enter_async_context(gate.passing())
            yield


async def turn(gate: Gate) -> int:
    with pytest.raises(Problem) as refused:
        async with gate.passing():
            raise AssertionError("was let in")
    assert refused.value.code.name == "rate_limited"
    assert refused.value.retry_after_ms is not None
    return refused.value.retry_after_ms


@override_settings(HELLO_AT_ONCE=100)
async def test_each_has_a_turn_of_his_own() -> None:
    gate = Gate()
    async with full(gate):
        first, begun = await turn(gate), gate._last_turn
        moments = [(await turn(gate), gate._last_turn)[1] for _ in range(400)]
    assert first >= 100 * LEAST_SECONDS * 1000
    assert moments == sorted(moments)
    assert moments[-1] - begun == pytest.approx(400 * LEAST_SECONDS, rel=0.01)
    async with gate.passing():
        pass


@override_settings(HELLO_AT_ONCE=1)
async def test_nobody_is_put_off_for_long() -> None:
    gate = Gate()
    async with full(gate):
        assert max([await turn(gate) for _ in range(20_000)]) <= LONGEST_SECONDS * 1000


@override_settings(HELLO_AT_ONCE=2, HELLO_WAITING=3)
async def test_some_wait_for_their_turn_in_order() -> None:
    gate, inside, order = Gate(), asyncio.Event(), list[int]()

    async def visit(number: int) -> None:
        async with gate.passing():
            order.append(number)
            await inside.wait()

    visits = [asyncio.create_task(visit(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert order == [0, 1]
    await turn(gate)
    inside.set()
    await asyncio.gather(*visits)
    assert order == [0, 1, 2, 3, 4]


async def test_alice_comes_again(alice: User, realtime_layer: None) -> None:
    hello: Frame = {
        "type": "hello",
        "v": 1,
        "client_id": "test",
        "token": (await in_thread(tokens.issue, alice))["access"],
    }
    async with connect(None) as socket:
        async with full(hub().gate):
            await socket.say(**hello)
            error = await socket.hear()
        assert (error["code"], error["retryable"]) == ("rate_limited", True)
        assert error["retry_after_ms"] > 0
        await socket.say(**hello)
        assert (await socket.hear())["type"] == "welcome"


@override_settings(HELLO_SECONDS=0.2)
async def test_who_waits_here_for_too_long_is_not_sent_away_for_good(alice: User, realtime_layer: None) -> None:
    token = (await in_thread(tokens.issue, alice))["access"]
    async with connect(None) as socket, full(hub().gate):
        await socket.say(type="hello", v=1, client_id="test", token=token)
        assert await socket.closed_with() == 4029
