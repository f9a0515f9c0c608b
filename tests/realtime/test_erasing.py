"""Erasing under the eyes of connected clients: they are told, and get nothing after that."""

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest
from django.conf import settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.cursors import Cursor
from conversations.services import erasing, sessions
from realtime import sse
from realtime.streamed import RETRY
from tests.conftest import identity_of
from tests.realtime.support import fill, head, join, joined, without_hints
from tests.sockets import Socket, connect

ERASED = {"erased": True}


async def erased(user: User, conversation: UUID) -> None:
    await in_thread(lambda: erasing.erase(user=user, conversation=conversation))


async def ends(socket: Socket, seconds: float = 5) -> None:
    """The erasure comes, and then nothing but that this is over."""
    assert (await socket.hear("conversation:update", seconds=seconds))["data"] == ERASED
    assert (await socket.hear())["reason"] == "closed"
    assert await socket.hears_nothing()


async def test_everybody_is_told(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    async with joined(alice, conversation) as one, joined(bob, conversation) as other:
        await erased(alice, conversation)
        await ends(one)
        await ends(other)


async def test_within_two_seconds_without_redis(
    alice: User, bob: User, conversation: UUID, realtime_layer: None
) -> None:
    async with joined(bob, conversation) as socket:
        with without_hints():
            await erased(alice, conversation)
            async with asyncio.timeout(2):
                await ends(socket, 2)


async def test_what_waits_for_a_slow_client_is_dropped(
    alice: User, bob: User, conversation: UUID, realtime_layer: None
) -> None:
    async with connect(bob, acks=False) as socket:
        await join(socket, conversation)
        with suppress(TimeoutError):
            while True:
                await fill(alice, conversation, 1)
                await socket.hear("message:new", seconds=0.5)
        await fill(alice, conversation, 5)
        await erased(alice, conversation)
        assert await socket.hears_nothing()

        await socket.say(type="ack", n=settings.ACK_WINDOW)

        assert (await socket.hear())["data"] == ERASED
        assert (await socket.hear())["type"] == "left"


async def test_a_later_join_sees_what_is_left(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    await fill(alice, conversation, 3)
    await erased(alice, conversation)
    async with connect(bob) as socket:
        await socket.say(type="join", ref="j", conversation=str(conversation), seq=0)
        assert (await socket.hear("joined"))["head"] == 6
        events = (await socket.hear("catchup"))["events"]
        assert [event["data"] for event in events] == [ERASED] * 6
        await socket.say(type="send", ref="s", conversation=str(conversation), cmid="c", text="Hello?")
        assert (await socket.hear("error"))["code"] == "conversation_closed"


async def test_cursors_outlive_the_session_and_what_was_said(
    alice: User, bob: User, conversation: UUID, realtime_layer: None
) -> None:
    """Why no `resync` has the reason `expired`: the log keeps every number, so every cursor of it can be replayed."""
    await fill(alice, conversation, 3)
    epoch, seq = await head(conversation)
    async with connect(bob) as socket:
        session = socket.welcome["session"]
    await in_thread(lambda: sessions.end(session=UUID(session)))
    await erased(alice, conversation)
    point = {"conversation": str(conversation), "epoch": epoch, "seq": seq - 1}
    async with connect(bob, session=session, resume=[point]) as again:
        assert [entry["ok"] for entry in again.welcome["resumed"]] == [True]
        await again.hear("session:expired")
        assert (await again.hear())["resumed"]
        events = (await again.hear())["events"]
        assert [(event["seq"], event["data"]) for event in events] == [(seq, ERASED), (seq + 1, ERASED)]


async def test_a_stream_ends(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    epoch, seq = await head(conversation)
    stream = sse.stream(await in_thread(identity_of, bob), conversation, Cursor(epoch, seq), None)
    assert await anext(stream) == RETRY
    later = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.1)

    await erased(alice, conversation)

    assert b'"data":{"erased":true}' in await asyncio.wait_for(later, 2)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(stream), 2)
