"""What the people in a room share beside the log (PROTOCOL.md section 7)."""

from typing import Any
from uuid import UUID

from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.models import RoomState
from tests.realtime.support import change_role, join, joined, without_hints
from tests.sockets import Frame, Socket, connect


async def put(socket: Socket, conversation: UUID, value: Any, key: str = "topic", **clock: Any) -> Frame:
    """Write a register; the answer."""
    clock = {"vector": {"test": 1}, "wall": 1} | clock
    await socket.say(type="state", ref="s", conversation=str(conversation), key=key, value=value, clock=clock)
    return await socket.answer("s")


async def test_everybody_sees_it(conversation: UUID, bob: User, alice_socket: Socket, bob_socket: Socket) -> None:
    await join(bob_socket, conversation)
    await join(alice_socket, conversation)
    assert (await put(alice_socket, conversation, {"colour": "red"}))["type"] == "ok"
    told = await bob_socket.hear("state:set")
    assert (told["key"], told["value"], told["by"]["name"]) == ("topic", {"colour": "red"}, "Alice")
    async with connect(bob) as late:
        assert (await join(late, conversation))["state"]["topic"]["value"] == {"colour": "red"}


async def test_a_successor_wins_over_a_wrong_clock(conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await put(alice_socket, conversation, "first", wall=2**60)
    first = await alice_socket.hear("state:set")
    await put(alice_socket, conversation, "second", vector={"test": 2}, wall=0)
    second = await alice_socket.hear("state:set")
    assert second["value"] == "second"
    assert second["clock"]["wall"] == first["clock"]["wall"] + 1


async def test_the_loser_of_a_conflict_is_kept(conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await put(alice_socket, conversation, "mine", wall=2**60)
    await alice_socket.hear("state:set")
    await put(alice_socket, conversation, "theirs", vector={"other": 1, "test": 0}, wall=0)
    merged = await alice_socket.hear("state:set")
    assert merged["value"] == "mine"
    assert [copy["value"] for copy in merged["conflicts"]] == ["theirs"]
    assert merged["clock"]["vector"] == {"test": 1, "other": 1}


async def test_the_same_write_twice_is_one(conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await put(alice_socket, conversation, "once")
    await alice_socket.hear("state:set")
    assert (await put(alice_socket, conversation, "once"))["type"] == "ok"
    assert await alice_socket.hears_nothing()


async def test_without_a_hint_the_poll_tells(
    bob: User, conversation: UUID, alice_socket: Socket, bob_socket: Socket
) -> None:
    await join(bob_socket, conversation)
    await join(alice_socket, conversation)
    with without_hints():
        await put(alice_socket, conversation, "quiet")
        assert (await bob_socket.hear("state:set"))["value"] == "quiet"


async def test_a_viewer_looks_only(alice: User, bob: User, conversation: UUID, bob_socket: Socket) -> None:
    await change_role(alice, conversation, bob, "viewer")
    await join(bob_socket, conversation)
    assert (await put(bob_socket, conversation, "mine"))["code"] == "forbidden"


async def test_bad_writes(conversation: UUID, alice_socket: Socket) -> None:
    assert (await put(alice_socket, conversation, "not joined"))["code"] == "not_found"
    await join(alice_socket, conversation)
    assert (await put(alice_socket, conversation, "x", vector={"somebody": 1}))["code"] == "invalid"
    assert (await put(alice_socket, conversation, "x" * 5000))["code"] == "too_large"
    assert (await put(alice_socket, conversation, "x", key="a\0b"))["code"] == "invalid"
    with override_settings(ROOM_STATE_KEYS=1):
        await put(alice_socket, conversation, "x")
        assert (await put(alice_socket, conversation, "x", key="second"))["code"] == "too_large"


async def test_no_value_is_stored_in_clear(conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await put(alice_socket, conversation, "the secret plan")
    row = await in_thread(RoomState.objects.get, conversation=conversation)
    assert "secret" not in str(row.__dict__)
    assert "$sealed" in row.value


async def test_nothing_is_missed_while_joining(alice: User, conversation: UUID, alice_socket: Socket) -> None:
    """Whatever is written between the look at the state and the first live frame is told."""
    await join(alice_socket, conversation)
    for number in range(1, 6):
        async with joined(alice, conversation) as other:
            await put(alice_socket, conversation, number, vector={"test": number})
            assert (await other.hear("state:set"))["value"] == number
