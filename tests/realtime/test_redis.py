"""Redis is never the truth: stop it, flush it, hang it, and everything still arrives."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import override_settings
from redis.client import PubSub

from accounts.models import User
from chatproject.lib.threads import in_thread
from realtime import broadcast
from realtime.hints import item_of, pack
from realtime.hub import hub
from tests.realtime.support import fill, joined, log, remove, seqs, write
from tests.redis import Redis
from tests.sockets import PATIENCE, Socket

pytestmark = pytest.mark.usefixtures("redis")
HINTS_ONLY = override_settings(POLL_MS=60_000)


@pytest.fixture
def redis(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis of this test's own, used by all rooms; what one test did to its own, the next does not feel."""
    monkeypatch.setattr(broadcast, "PAUSE_SECONDS", 0.1)
    # Channels' receiver logs an exception for every second without Redis.
    caplog.set_level(logging.CRITICAL, "channels_redis.pubsub")
    with Redis() as server:
        layer: Any = settings.CHANNEL_LAYERS["default"]
        hosts = [{**layer["CONFIG"]["hosts"][0], "address": server.url}]
        layers = {"default": {**layer, "CONFIG": {**layer["CONFIG"], "hosts": hosts}}}
        with override_settings(CHANNEL_LAYERS=layers):
            yield server


async def noticed() -> None:
    """Wait until the hub knows that Redis is away."""
    async with asyncio.timeout(5):
        await hub().subscriptions._gone.wait()


async def back() -> None:
    """Wait until hints come in again, and are sent again."""
    async with asyncio.timeout(5):
        await hub().subscriptions._back.wait()
    await asyncio.sleep(broadcast.PAUSE_SECONDS)


async def delivery(user: User, conversation: UUID, socket: Socket) -> float:
    """Seconds from COMMIT to the event at the socket."""
    event = await write(user, conversation)
    begun = time.monotonic()
    assert (await socket.hear("message:new"))["seq"] == event["seq"]
    return time.monotonic() - begun


async def live(user: User, conversation: UUID, socket: Socket) -> bool:
    """Whether hints alone deliver within half a second. On a busy machine one may be given up; the next mends it."""
    with HINTS_ONLY:
        for _ in range(3):
            event = await write(user, conversation)
            with suppress(TimeoutError):
                while (await socket.hear("message:new", seconds=0.5))["seq"] != event["seq"]:
                    pass
                return True
    return False


async def test_hints_alone_deliver_at_once(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    async with joined(bob, conversation) as socket:
        assert all([await live(alice, conversation, socket) for _ in range(10)])


async def test_stopped_under_load(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    async with joined(bob, conversation) as socket:
        await delivery(alice, conversation, socket)
        redis.stop()
        assert await delivery(alice, conversation, socket) < 1.5
        await noticed()
        times = [await delivery(alice, conversation, socket) for _ in range(10)]
        assert max(times) < 0.5

        await socket.say(type="send", ref=1, conversation=str(conversation), cmid="m", text="Hi")
        begun = time.monotonic()
        assert (await socket.hear("sent"))["dup"] is False
        assert time.monotonic() - begun < 0.5


async def test_joining_and_leaving_while_it_is_away(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    redis.stop()
    async with joined(bob, conversation) as socket:
        assert await delivery(alice, conversation, socket) < 1.5
        await remove(alice, conversation, bob)
        assert (await socket.hear("left", seconds=2))["reason"] == "removed"
    redis.start()
    await back()
    async with joined(alice, conversation) as socket:
        assert await live(alice, conversation, socket)


async def test_restarted_it_is_live_again(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    """What was said meanwhile came by poll; then hints arrive again, in the rooms that stayed open."""
    async with joined(bob, conversation) as socket:
        redis.stop()
        await noticed()
        await fill(alice, conversation, 5)
        assert await seqs(socket, 7) == [3, 4, 5, 6, 7]
        redis.start()
        await back()
        assert await live(alice, conversation, socket)


async def test_flushed_nothing_changes(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    async with joined(bob, conversation) as socket:
        await in_thread(redis.client().flushall)
        assert await live(alice, conversation, socket)


async def test_hung_it_holds_nobody_up(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    async with joined(bob, conversation) as socket:
        redis.hang()
        assert await delivery(alice, conversation, socket) < 2
        await noticed()
        assert max([await delivery(alice, conversation, socket) for _ in range(5)]) < 0.5
        async with asyncio.timeout(1), joined(alice, conversation):
            pass
        redis.go_on()
        await back()
        assert await live(alice, conversation, socket)


async def test_a_subscriber_that_redis_cut_off_finds_out(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    """As by `client-output-buffer-limit pubsub`: commands work, hints do not come."""
    async with joined(bob, conversation) as socket:
        await in_thread(lambda: redis.client().execute_command("CLIENT", "KILL", "TYPE", "pubsub"))
        assert await delivery(alice, conversation, socket) < 1.5
        await asyncio.sleep(2)
        await back()
        assert await live(alice, conversation, socket)


@pytest.mark.faults
async def test_nothing_dies_of_idleness(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    """redis-py's 5 s socket timeout once ended every idle consumer."""
    async with joined(bob, conversation) as socket:
        await asyncio.sleep(15)
        assert await live(alice, conversation, socket)


async def test_nonsense_in_redis_is_passed_over(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    """Whoever reaches Redis can publish; only what our keys sealed for this room is believed."""
    async with joined(bob, conversation) as socket:
        group = f"asgi__group__c.{conversation.hex}.s0"
        layer = hub().subscriptions.layer
        event = item_of({**(await log(conversation))[-1], "seq": 3})
        foreign = {**pack(alice.id, [event]), "conversation": conversation.bytes}
        cut = pack(conversation, [event])
        for payload in (
            b"",
            b"nonsense",
            layer.serialize({}),
            layer.serialize({"type": "room.hint"}),
            layer.serialize({"type": 7, "conversation": 7}),
            layer.serialize({"type": "room.hint", "conversation": b"short", "key": "?", "body": b""}),
            layer.serialize(foreign),
            layer.serialize({**cut, "key": "unknown"}),
            layer.serialize({**cut, "body": cut["body"][:-1]}),
        ):
            await in_thread(redis.client().publish, group, payload)
        assert await live(alice, conversation, socket)
        assert "message" not in str(await in_thread(redis.client().keys))


async def test_content_is_sealed_on_its_way(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    seen: list[bytes] = []
    with redis.client().pubsub() as spy:
        spy.psubscribe("*")
        async with joined(bob, conversation) as socket, asyncio.timeout(PATIENCE):
            # The first may fall into the pause that follows a failed hint of an earlier test.
            while not any(conversation.bytes in data for data in seen):
                await write(alice, conversation, "MARKER-7f3a")
                await socket.hear("message:new")
                seen += heard_by(spy)
    assert not any(b"MARKER-7f3a" in data for data in seen)


async def test_no_message_is_larger_than_one_to_a_client(
    alice: User, bob: User, conversation: UUID, redis: Redis, realtime_layer: None
) -> None:
    """However much is written at once: what a process holds while it reads a message is several times its size."""
    with redis.client().pubsub() as spy, HINTS_ONLY:
        spy.psubscribe("*")
        async with joined(bob, conversation) as socket:
            await fill(alice, conversation, 30, "x" * 30_000)
            assert await seqs(socket, 32) == list(range(3, 33))
            seen = [data for data in heard_by(spy) if conversation.bytes in data]
    assert len(seen) >= 4
    assert max(map(len, seen)) < 257 * 1024


def heard_by(spy: PubSub) -> list[bytes]:
    """What was published since."""
    found = []
    while message := spy.get_message(timeout=0.1):
        found.append(message["data"])
    return [data for data in found if isinstance(data, bytes)]
