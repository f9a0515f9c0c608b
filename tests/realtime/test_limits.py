"""Limits of frames: the refusal, and what becomes of those who do not mind it."""

import json
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from realtime.places import Places
from tests.eventstreams import request
from tests.sockets import Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")


async def send(socket: Socket, conversation: UUID, ref: str) -> None:
    await socket.say(type="send", ref=ref, conversation=str(conversation), cmid=ref, text="Hello")


async def test_a_message_too_many(alice_socket: Socket, conversation: UUID, settings: Settings) -> None:
    settings.LIMIT_SEND = 2
    for ref in ("a", "b", "c"):
        await send(alice_socket, conversation, ref)
    answers = {ref: await alice_socket.answer(ref) for ref in ("a", "b", "c")}
    assert [answers[ref]["type"] for ref in ("a", "b", "c")] == ["sent", "sent", "error"]
    refusal = answers["c"]
    assert (refusal["code"], refusal["retryable"]) == ("rate_limited", True)
    assert 0 < refusal["retry_after_ms"] <= 60_000


async def test_what_was_refused_can_be_said_again(alice_socket: Socket, conversation: UUID, settings: Settings) -> None:
    settings.LIMIT_SEND = 1
    await send(alice_socket, conversation, "a")
    await send(alice_socket, conversation, "b")
    assert (await alice_socket.answer("b"))["code"] == "rate_limited"
    settings.LIMIT_SEND = 2
    await send(alice_socket, conversation, "b")
    answer = await alice_socket.answer("b")
    assert (answer["type"], answer["dup"]) == ("sent", False)


async def test_both_doors_count_together(
    alice: User, alice_socket: Socket, conversation: UUID, settings: Settings
) -> None:
    settings.LIMIT_FETCH = 2
    for ref in ("a", "b", "c"):
        await alice_socket.say(type="fetch", ref=ref, conversation=str(conversation), after_seq=0, limit=10)
    assert (await alice_socket.answer("c"))["code"] == "rate_limited"
    async with connect(alice) as other:
        await other.say(type="join", ref="j", conversation=str(conversation))
        assert (await other.answer("j"))["code"] == "rate_limited"


async def test_a_conversation_too_is_limited(
    alice_socket: Socket, bob_socket: Socket, conversation: UUID, settings: Settings
) -> None:
    settings.LIMIT_CONVERSATION = 1
    await send(alice_socket, conversation, "a")
    assert (await alice_socket.answer("a"))["type"] == "sent"
    await send(bob_socket, conversation, "b")
    assert (await bob_socket.answer("b"))["code"] == "rate_limited"


async def test_a_flooder_is_sent_away_and_nobody_else_notices(
    bob: User, alice_socket: Socket, conversation: UUID, settings: Settings
) -> None:
    settings.LIMIT_SEND, settings.FLOOD_REFUSALS = 3, 20
    async with connect(bob) as flooder:
        for number in range(60):
            await send(flooder, conversation, f"f{number}")
        assert await flooder.closed_with() == 4029
    await send(alice_socket, conversation, "a")
    assert (await alice_socket.answer("a"))["seq"] == 2 + 3 + 1


async def test_hello_is_limited_for_each_user(alice: User, bob: User, settings: Settings) -> None:
    settings.LIMIT_HELLO = 2
    async with connect(alice), connect(alice):
        async with connect(None) as third:
            refusal = await hello(third, alice)
            assert (refusal["code"], refusal["retryable"]) == ("rate_limited", True)
        async with connect(bob):
            pass


async def test_sockets_of_one_user(alice: User, bob: User, settings: Settings) -> None:
    settings.SOCKETS_PER_USER = 2
    async with connect(alice):
        async with connect(alice), connect(bob), connect(None) as third:
            refusal = await hello(third, alice)
            assert (refusal["code"], refusal["retryable"]) == ("rate_limited", True)
        async with connect(alice):
            pass


async def hello(socket: Socket, user: User) -> Any:
    """Say it, and be refused."""
    token = (await in_thread(tokens.issue, user))["access"]
    await socket.say(type="hello", v=1, client_id="test", token=token)
    return await socket.hear("error")


async def test_sockets_are_counted_over_processes(settings: Settings) -> None:
    settings.SOCKETS_PER_USER = 4
    here, there, user = Places(), Places(), new_id()
    for places in (here, there, here, there):
        await places.take(user)
    with pytest.raises(Problem, match="rate_limited"):
        await here.take(user)
    here.leave(user)
    there.leave(user)
    await there.renew()
    await here.take(user)


async def test_streams_count_as_connections(alice: User, conversation: UUID, settings: Settings) -> None:
    settings.SOCKETS_PER_USER = 1
    path = f"conversations/{conversation}/events/"
    async with connect(alice):
        for address in (path, "stream/"):
            async with request(alice, address) as stream:
                error = (await stream.until("error"))[-1]
                assert json.loads(error["data"])["code"] == "rate_limited"
    async with request(alice, path) as stream:
        await stream.until("conversation:new")
