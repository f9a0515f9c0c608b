"""Who may do what in a conversation over a socket, also when that changes while the socket is open."""

import asyncio
import time
from statistics import median
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.services import conversations, members, messages
from realtime.hub import hub
from tests.realtime.support import change_role, fill, join, joined, remove, seqs, without_hints, write
from tests.sockets import Frame, Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")


def asking(conversation: UUID) -> list[Frame]:
    """Every frame that concerns a conversation."""
    id_ = str(conversation)
    return [
        {"type": "join", "ref": 1, "conversation": id_},
        {"type": "join", "ref": 1, "conversation": id_, "seq": 0},
        {"type": "send", "ref": 1, "conversation": id_, "cmid": "m", "text": "Hi"},
        {"type": "fetch", "ref": 1, "conversation": id_, "after_seq": 0, "limit": 10},
        {"type": "stop", "ref": 1, "run": id_},
        {"type": "attach", "ref": 1, "run": id_, "offset": 0},
    ]


async def test_a_stranger_is_answered_as_if_it_did_not_exist(mallory: User, conversation: UUID) -> None:
    async with connect(mallory) as socket:
        for there, missing in zip(asking(conversation), asking(new_id()), strict=True):
            await socket.say(**there)
            answer = await socket.hear()
            await socket.say(**missing)
            assert await socket.hear() == answer
            assert answer["code"] == "not_found"


async def test_a_stranger_cannot_tell_by_the_time_it_takes(mallory: User, conversation: UUID) -> None:
    async def times(id_: UUID) -> list[float]:
        found = []
        for _ in range(15):
            begun = time.perf_counter()
            await socket.say(type="join", ref=1, conversation=str(id_))
            await socket.hear("error")
            found.append(time.perf_counter() - begun)
        return found

    async with connect(mallory) as socket:
        await times(conversation)
        assert 0.2 < median(await times(conversation)) / median(await times(new_id())) < 5


async def test_a_stranger_types_into_the_void(
    mallory: User, conversation: UUID, alice: User, alice_socket: Socket
) -> None:
    await join(alice_socket, conversation)
    async with connect(mallory) as socket:
        await socket.say(type="typing", conversation=str(conversation), on=True)
        assert (await socket.hear())["code"] == "not_found"
    assert await alice_socket.hears_nothing()


async def test_a_stranger_resumes_nothing(mallory: User, conversation: UUID) -> None:
    async with connect(mallory, resume=[{"conversation": str(conversation), "seq": 0}]) as socket:
        entry = socket.welcome["resumed"][0]
        assert (entry["ok"], entry["reason"], entry["head"], entry["epoch"]) == (False, "not_found", None, None)
        assert await socket.hears_nothing()


async def test_a_viewer_reads_and_does_not_send(alice: User, bob: User, conversation: UUID, bob_socket: Socket) -> None:
    await change_role(alice, conversation, bob, "viewer")
    assert (await join(bob_socket, conversation))["role"] == "viewer"
    id_ = str(conversation)
    await bob_socket.say(type="send", ref=1, conversation=id_, cmid="m", text="Hi")
    assert (await bob_socket.hear("error"))["code"] == "forbidden"
    await bob_socket.say(type="typing", conversation=id_, on=True)
    assert (await bob_socket.hear("error"))["code"] == "forbidden"
    await bob_socket.say(type="fetch", ref=2, conversation=id_, after_seq=0, limit=2)
    assert [event["seq"] for event in (await bob_socket.hear("page"))["events"]] == [1, 2]


async def test_a_role_changes_while_its_owner_is_connected(
    alice: User, bob: User, conversation: UUID, bob_socket: Socket
) -> None:
    id_ = str(conversation)
    await join(bob_socket, conversation)
    await change_role(alice, conversation, bob, "viewer")
    assert (await bob_socket.hear("member:update"))["data"]["role"] == "viewer"
    await bob_socket.say(type="send", ref=1, conversation=id_, cmid="m", text="Hi")
    assert (await bob_socket.hear())["code"] == "forbidden"
    await bob_socket.say(type="typing", conversation=id_, on=True)
    assert (await bob_socket.hear())["code"] == "forbidden"
    await change_role(alice, conversation, bob, "editor")
    await bob_socket.hear("member:update")
    await bob_socket.say(type="typing", conversation=id_, on=True)
    assert (await bob_socket.hear())["type"] == "user:typing"


async def test_who_is_removed_hears_left_and_nothing_more(
    alice: User, bob: User, conversation: UUID, bob_socket: Socket, alice_socket: Socket
) -> None:
    other = (await asyncio.wrap_future(conversations.create(user=bob))).conversation.id
    await join(bob_socket, other)
    await join(bob_socket, conversation)
    await join(alice_socket, conversation)

    begun = time.monotonic()
    await remove(alice, conversation, bob)
    await write(alice, conversation, "He is gone")

    left = await bob_socket.hear("left")
    assert left == {"type": "left", "conversation": str(conversation), "reason": "removed"}
    assert time.monotonic() - begun < 2
    assert (await alice_socket.hear("message:new"))["data"]["text"] == "He is gone"
    await write(bob, other, "Life goes on")
    heard = await bob_socket.hear()
    assert (heard["conversation"], heard["data"]["text"]) == (str(other), "Life goes on")
    for frame in asking(conversation)[:4]:
        await bob_socket.say(**frame)
        assert (await bob_socket.hear("error"))["code"] == "not_found"
    assert await bob_socket.hears_nothing()


async def test_removal_is_noticed_without_hints(alice: User, bob: User, conversation: UUID, bob_socket: Socket) -> None:
    await join(bob_socket, conversation)
    with without_hints():
        await remove(alice, conversation, bob)
        await write(alice, conversation, "He is gone")
        assert (await bob_socket.hear(seconds=2))["type"] == "left"
    assert await bob_socket.hears_nothing()


async def test_what_was_said_between_removal_and_return_is_seen_after_the_return(
    alice: User, bob: User, conversation: UUID, bob_socket: Socket
) -> None:
    await join(bob_socket, conversation)
    await remove(alice, conversation, bob)
    await bob_socket.hear("left")
    await asyncio.wrap_future(members.add(actor=alice, conversation=conversation, user=str(bob.id)))
    await join(bob_socket, conversation, seq=0)
    await write(alice, conversation, "Welcome back")
    assert (await bob_socket.hear("message:new"))["data"]["text"] == "Welcome back"


async def test_a_slow_reader_gets_nothing_after_its_removal(alice: User, bob: User, conversation: UUID) -> None:
    """Bob does not acknowledge, so that he is behind when he is removed."""
    async with connect(bob, acks=False) as socket:
        await join(socket, conversation)
        for number in range(30):
            await write(alice, conversation, f"{number} {'x' * 20_000}")
        await remove(alice, conversation, bob)
        await fill(alice, conversation, 5, "Secret")
        await asyncio.sleep(0.3)
        await socket.say(type="ack", n=1)
        await socket.say(type="ack", n=15)
        while (frame := await socket.hear())["type"] != "left":
            assert "Secret" not in str(frame)
        assert await socket.hears_nothing()


async def test_removed_while_the_log_is_still_being_read(alice: User, bob: User, conversation: UUID) -> None:
    """A long catch-up and a removal at the same time: whatever comes, nothing of after the removal."""
    await fill(alice, conversation, 700)
    async with connect(bob) as socket:
        await socket.say(type="join", ref=1, conversation=str(conversation), seq=0)
        await remove(alice, conversation, bob)
        await write(alice, conversation, "Secret")
        heard = [await socket.hear()]
        while heard[-1]["type"] not in ("left", "error"):
            heard.append(await socket.hear())
        assert await socket.hears_nothing()
    assert "Secret" not in str(heard)


async def test_rooms_are_forgotten_when_the_last_one_leaves(
    alice: User, bob: User, conversation: UUID, alice_socket: Socket, bob_socket: Socket
) -> None:
    await join(alice_socket, conversation)
    await join(bob_socket, conversation)
    await remove(alice, conversation, bob)
    await bob_socket.hear("left")
    assert conversation in hub().rooms
    await alice_socket.say(type="leave", ref=1, conversation=str(conversation))
    assert (await alice_socket.hear("left"))["reason"] == "asked"
    assert (await alice_socket.hear())["ref"] == 1
    assert conversation not in hub().rooms


async def test_joining_twice_leaves_one_membership(alice: User, conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await join(alice_socket, conversation, seq=0)
    await write(alice, conversation)
    assert (await alice_socket.hear())["seq"] == 3
    assert await alice_socket.hears_nothing()


async def test_leaving_and_joining_at_once_ends_up_listening(
    alice: User, bob: User, conversation: UUID, alice_socket: Socket, bob_socket: Socket
) -> None:
    """A room that closes while another join waits for it is the room that the join gets."""
    for number in range(20):
        await join(alice_socket, conversation, seq=0)
        await asyncio.gather(
            alice_socket.say(type="leave", conversation=str(conversation)),
            bob_socket.say(type="join", ref=number, conversation=str(conversation)),
        )
        await bob_socket.hear("catchup")
        await write(alice, conversation, f"Number {number}")
        assert (await bob_socket.hear("message:new"))["data"]["text"] == f"Number {number}"
        await bob_socket.say(type="leave", conversation=str(conversation))
        await alice_socket.hear("left")
        await bob_socket.hear("left")
    assert conversation not in hub().rooms


@override_settings(ROOMS_PER_CONNECTION=1)
async def test_one_connection_opens_so_many_conversations(alice: User, conversation: UUID) -> None:
    other = (await asyncio.wrap_future(conversations.create(user=alice))).conversation.id
    async with joined(alice, conversation) as socket:
        await socket.say(type="join", ref=1, conversation=str(other))
        assert (await socket.hear())["code"] == "too_large"
        await join(socket, conversation, seq=0)


async def test_typing_is_seen_by_the_others_and_is_not_in_the_log(
    conversation: UUID, alice: User, alice_socket: Socket, bob_socket: Socket
) -> None:
    await join(alice_socket, conversation)
    await join(bob_socket, conversation)
    await alice_socket.say(type="typing", conversation=str(conversation), on=True)
    seen = await bob_socket.hear()
    assert (seen["type"], seen["user"]["name"], seen["on"]) == ("user:typing", "Alice", True)
    assert not {"seq", "data"} & seen.keys()
    await write(alice, conversation)
    assert await seqs(bob_socket, 3) == [3]


async def test_who_is_deactivated_is_put_out_at_once(
    alice: User, bob: User, conversation: UUID, bob_socket: Socket
) -> None:
    await bob_socket.say(type="join", ref=1, conversation=str(conversation), seq=0)
    await bob_socket.hear("joined")
    await in_thread(User.objects.filter(id=bob.id).update, is_active=False)

    assert await bob_socket.closed_with(seconds=2) == 4501
    refused = messages.send(user=bob, conversation=conversation, text="Still here", cmid="late")
    with pytest.raises(Problem, match="not_found"):
        await asyncio.wrap_future(refused)


async def test_logins_ended_all_at_once_end_open_sockets(bob: User, conversation: UUID, bob_socket: Socket) -> None:
    await in_thread(User.objects.filter(id=bob.id).update, auth_version=bob.auth_version + 1)
    assert await bob_socket.closed_with(seconds=2) == 4501
