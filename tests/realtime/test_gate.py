"""Many who say hello at once: some are let in, the others are told their turn, one after the other."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.test import override_settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from realtime.gate import LEAST_SECONDS, LONGEST_SECONDS, Gate
from realtime.hub import hub
from tests.sockets import Frame, connect


@contextmanager
def full(gate: Gate, count: int) -> Iterator[None]:
    """As many are inside as may be."""
    with override_settings(HELLO_AT_ONCE=count), ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(gate.passing())
        yield


def turn(gate: Gate) -> int:
    with pytest.raises(Problem) as refused, gate.passing():
        raise AssertionError("was let in")
    assert refused.value.code.name == "rate_limited"
    assert refused.value.retry_after_ms is not None
    return refused.value.retry_after_ms


def test_each_has_a_turn_of_his_own() -> None:
    gate = Gate()
    with full(gate, 100):
        first, begun = turn(gate), gate._last_turn
        moments = [(turn(gate), gate._last_turn)[1] for _ in range(400)]
    assert first >= 100 * LEAST_SECONDS * 1000
    assert moments == sorted(moments)
    assert moments[-1] - begun == pytest.approx(400 * LEAST_SECONDS, rel=0.01)
    with gate.passing():
        pass


def test_nobody_is_put_off_for_long() -> None:
    gate = Gate()
    with full(gate, 1):
        assert max(turn(gate) for _ in range(20_000)) <= LONGEST_SECONDS * 1000


async def test_alice_comes_again(alice: User, realtime_layer: None) -> None:
    hello: Frame = {
        "type": "hello",
        "v": 1,
        "client_id": "test",
        "token": (await in_thread(tokens.issue, alice))["access"],
    }
    async with connect(None) as socket:
        with full(hub().gate, 1):
            await socket.say(**hello)
            error = await socket.hear()
        assert (error["code"], error["retryable"]) == ("rate_limited", True)
        assert error["retry_after_ms"] > 0
        await socket.say(**hello)
        assert (await socket.hear())["type"] == "welcome"


@override_settings(HELLO_SECONDS=0.2)
async def test_who_waits_here_for_too_long_is_not_sent_away_for_good(alice: User, realtime_layer: None) -> None:
    token = (await in_thread(tokens.issue, alice))["access"]
    async with connect(None) as socket:
        with full(hub().gate, 1):
            await socket.say(type="hello", v=1, client_id="test", token=token)
            assert await socket.closed_with() == 4029
