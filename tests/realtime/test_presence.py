"""Who is there: users, not sockets, over all processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.test import override_settings

from accounts.models import User
from realtime.hub import hub
from realtime.presence import Presence
from tests.realtime.support import join, joined, write
from tests.sockets import Socket, connect


@contextmanager
def quick(**settings: Any) -> Iterator[None]:
    with override_settings(PRESENCE_GRACE_MS=100, PRESENCE_SWEEP_MS=100, **settings):
        yield


async def test_bob_comes_and_goes(alice: User, bob: User, conversation: UUID, alice_socket: Socket) -> None:
    with quick():
        assert (await join(alice_socket, conversation))["online"] == 1
        async with joined(bob, conversation):
            came = await alice_socket.hear("user:join")
            assert came["users"] == [{"id": str(bob.id), "name": "Bob"}]
            assert came["online"] == 2
        gone = await alice_socket.hear("user:leave")
        assert gone["users"] == [{"id": str(bob.id), "name": "Bob"}]
        assert gone["online"] == 1


async def test_two_tabs_are_one_user(alice: User, bob: User, conversation: UUID, alice_socket: Socket) -> None:
    with quick():
        await join(alice_socket, conversation)
        async with joined(bob, conversation):
            await alice_socket.hear("user:join")
            async with connect(bob) as second:
                assert (await join(second, conversation))["online"] == 2
            assert await alice_socket.hears_nothing(0.5)


async def test_whoever_is_back_in_time_was_never_gone(bob: User, conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    async with joined(bob, conversation):
        await alice_socket.hear("user:join")
    async with joined(bob, conversation):
        assert await alice_socket.hears_nothing(0.5)


class Elsewhere:
    """Another process, which has only its presence."""

    def __init__(self) -> None:
        self.presence = Presence(lambda conversation: None)

    async def __aenter__(self) -> Presence:
        return self.presence

    async def __aexit__(self, *_: object) -> None:
        await self.presence.stop()


async def test_another_process(bob: User, conversation: UUID, alice_socket: Socket) -> None:
    with quick():
        await join(alice_socket, conversation)
        async with Elsewhere() as presence:
            presence.enter(conversation, bob.id)
            assert (await alice_socket.hear("user:join"))["users"] == [{"id": str(bob.id), "name": "Bob"}]
            presence.leave(conversation, bob.id)
            assert (await alice_socket.hear("user:leave"))["online"] == 1


async def test_a_process_that_dies_takes_its_users_along(
    alice: User, bob: User, conversation: UUID, realtime_layer: None
) -> None:
    with quick(PRESENCE_SECONDS=1):
        async with joined(alice, conversation) as alice_socket:
            async with Elsewhere() as presence:
                presence.enter(conversation, bob.id)
                await alice_socket.hear("user:join")
            assert (await alice_socket.hear("user:leave"))["users"][0]["name"] == "Bob"


async def test_an_empty_redis_is_filled_again(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    with quick():
        async with joined(alice, conversation) as alice_socket, joined(bob, conversation):
            await alice_socket.hear("user:join")
            assert await alice_socket.hears_nothing(0.3)
            redis, key = hub().presence._redis, f"presence:{conversation.hex}"
            assert await redis.delete(key)
            assert await alice_socket.hears_nothing(0.5)
            assert len(await redis.zrange(key, 0, -1)) == 2


async def test_every_key_lapses(conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    redis, key = hub().presence._redis, f"presence:{conversation.hex}"
    await hub().presence._exchange([conversation], {})
    assert 0 < await redis.pttl(key) <= 30_000


async def test_without_redis_this_process_knows_its_own(
    alice: User, bob: User, conversation: UUID, realtime_layer: None
) -> None:
    with quick(REDIS_URL="unix:///nowhere/redis.sock"):
        hub().presence = Presence(hub()._attendance_changed)
        async with joined(alice, conversation) as alice_socket, joined(bob, conversation):
            assert (await alice_socket.hear("user:join"))["online"] == 2
            await write(bob, conversation, "Still here")
            assert (await alice_socket.hear("message:new"))["data"]["text"] == "Still here"


async def test_bob_reads(bob: User, conversation: UUID, alice_socket: Socket, bob_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await join(bob_socket, conversation)
    await bob_socket.say(type="read", conversation=str(conversation), seq=99)
    read = await alice_socket.hear("user:read")
    assert (read["user"]["name"], read["seq"]) == ("Bob", 2)


async def test_a_mark_never_goes_back(conversation: UUID, alice_socket: Socket, bob_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await join(bob_socket, conversation)
    for seq in (2, 1, 2):
        await bob_socket.say(type="read", conversation=str(conversation), seq=seq)
    await alice_socket.hear("user:read")
    await bob_socket.say(type="typing", conversation=str(conversation), on=True)
    assert (await alice_socket.hear())["type"] in ("user:typing", "user:join")


async def test_reading_where_one_is_not(conversation: UUID, alice_socket: Socket) -> None:
    await alice_socket.say(type="read", conversation=str(conversation), seq=1)
    assert (await alice_socket.hear("error"))["code"] == "not_found"


async def test_whoever_drops_types_no_more(alice: User, bob: User, conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    async with joined(bob, conversation) as socket:
        await socket.say(type="typing", conversation=str(conversation), on=True)
        assert (await alice_socket.hear("user:typing"))["on"]
    assert not (await alice_socket.hear("user:typing"))["on"]
