"""A cursor is replayed exactly, or answered with a snapshot; never part of it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.models import Conversation
from realtime.hub import hub
from tests.realtime.support import events_in, fill, head, join, log, seqs, write
from tests.sockets import Frame, Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")


async def missed(socket: Socket) -> list[Frame]:
    """The events of all pages until the last one."""
    found: list[Frame] = []
    while True:
        page = await socket.hear("catchup")
        found += page["events"]
        if page["done"]:
            return found


async def ask(socket: Socket, conversation: UUID, **where: Any) -> Frame:
    await socket.say(type="join", ref="r", conversation=str(conversation), **where)
    return await socket.hear("joined")


async def test_a_cursor_is_replayed_exactly(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 30)
    epoch, top = await head(conversation)
    joined = await ask(bob_socket, conversation, epoch=epoch, seq=10)
    assert (joined["resumed"], joined["head"], joined["epoch"]) == (True, top, epoch)
    assert await missed(bob_socket) == await log(conversation, 10)
    await write(alice, conversation)
    assert (await bob_socket.hear())["seq"] == top + 1


async def test_at_the_head_nothing_is_missing(conversation: UUID, bob_socket: Socket) -> None:
    epoch, top = await head(conversation)
    await ask(bob_socket, conversation, epoch=epoch, seq=top)
    assert await missed(bob_socket) == []
    assert await bob_socket.hears_nothing()


async def test_from_the_beginning_no_epoch_is_needed(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 5)
    assert (await ask(bob_socket, conversation, seq=0))["resumed"]
    assert [event["seq"] for event in await missed(bob_socket)] == list(range(1, 8))


async def test_the_longest_replay_there_is(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 998)
    assert (await head(conversation))[1] == 1000
    assert (await ask(bob_socket, conversation, seq=0))["resumed"]
    assert [event["seq"] for event in await missed(bob_socket)] == list(range(1, 1001))


async def test_without_a_cursor_the_newest_come(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 148)
    assert not (await ask(bob_socket, conversation))["resumed"]
    assert [event["seq"] for event in await missed(bob_socket)] == list(range(51, 151))


async def test_since_a_time(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 3)
    await asyncio.sleep(0.01)
    moment = (await write(alice, conversation, "Then"))["at"]
    await write(alice, conversation, "Later")
    assert (await ask(bob_socket, conversation, since=moment))["resumed"]
    assert [event["data"]["text"] for event in await missed(bob_socket)] == ["Then", "Later"]


async def test_since_a_time_brings_all_of_that_very_millisecond(conversation: UUID, bob_socket: Socket) -> None:
    first, second = await log(conversation)
    assert first["at"] == second["at"]
    assert (await ask(bob_socket, conversation, since=second["at"]))["resumed"]
    assert await missed(bob_socket) == [first, second]


async def test_since_a_time_that_is_none(conversation: UUID, bob_socket: Socket) -> None:
    for moment in ("yesterday", "2026-01-01T00:00:00", "2026-13-45T00:00:00Z", ""):
        await bob_socket.say(type="join", ref=1, conversation=str(conversation), since=moment)
        assert (await bob_socket.hear())["code"] == "invalid"


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ({"seq": 1}, "epoch"),
        ({"seq": 1, "epoch": str(new_id())}, "epoch"),
        ({"seq": 99, "epoch": None}, "epoch"),
        ({"seq": 99, "epoch": "ours"}, "ahead"),
    ],
)
async def test_what_cannot_be_replayed_is_answered_with_a_snapshot_then_live(
    alice: User, conversation: UUID, bob_socket: Socket, cursor: dict[str, Any], reason: str
) -> None:
    await write(alice, conversation, "Before")
    epoch, top = await head(conversation)
    joined = await ask(
        bob_socket, conversation, **{**cursor, **({"epoch": epoch} if "ours" in cursor.values() else {})}
    )
    assert (joined["resumed"], joined["reason"]) == (False, reason)
    resync = await bob_socket.hear()
    assert (resync["type"], resync["reason"], resync["epoch"]) == ("resync", reason, epoch)
    assert resync["snapshot"]["seq"] == resync["head"] == top
    state = resync["snapshot"]["state"]
    assert [message["text"] for message in state["messages"]] == ["Before"]
    assert (state["runs"], state["truncated"]) == ([], False)
    await write(alice, conversation, "After")
    assert await seqs(bob_socket, top + 1) == [top + 1]


async def test_too_far_behind(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 20)
    epoch, top = await head(conversation)
    with override_settings(CATCHUP_MAX=20):
        assert (await ask(bob_socket, conversation, epoch=epoch, seq=top - 20))["resumed"]
        assert len(await missed(bob_socket)) == 20
        assert (await ask(bob_socket, conversation, epoch=epoch, seq=top - 21))["reason"] == "too_far"
        assert (await bob_socket.hear("resync"))["head"] == top


async def test_a_snapshot_holds_the_newest_that_fit(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 12, "漢" * 8000)
    await ask(bob_socket, conversation, seq=999, epoch=str(new_id()))
    resync = await bob_socket.hear("resync")
    kept = resync["snapshot"]["state"]["messages"]
    assert resync["snapshot"]["state"]["truncated"]
    assert kept[-1]["seq"] == resync["head"]
    assert 0 < len(kept) < 12


async def test_while_others_write_a_resync_and_what_follows_fit_together(
    alice: User, conversation: UUID, bob_socket: Socket
) -> None:
    writing = asyncio.create_task(fill(alice, conversation, 200))
    await ask(bob_socket, conversation, seq=9, epoch=str(new_id()))
    top = (await bob_socket.hear("resync"))["head"]
    await writing
    last = (await write(alice, conversation))["seq"]
    assert await seqs(bob_socket, last) == list(range(top + 1, last + 1))


async def test_hello_takes_up_several_conversations(alice: User, bob: User, conversation: UUID) -> None:
    await fill(alice, conversation, 3)
    epoch, top = await head(conversation)
    points = [
        {"conversation": str(conversation), "epoch": epoch, "seq": 3},
        {"conversation": str(new_id()), "epoch": epoch, "seq": 3},
        {"conversation": "nonsense", "seq": 0},
    ]
    async with connect(bob, resume=points) as socket:
        good, missing, nonsense = socket.welcome["resumed"]
        assert good == {"conversation": str(conversation), "ok": True, "epoch": epoch, "head": top}
        assert (missing["ok"], missing["reason"]) == (False, "not_found")
        assert (nonsense["ok"], nonsense["reason"]) == (False, "not_found")
        assert "ref" not in await socket.hear("joined")
        assert await missed(socket) == await log(conversation, 3)
        await write(alice, conversation)
        assert (await socket.hear())["seq"] == top + 1


async def test_hello_that_cannot_resume_says_why_and_brings_a_snapshot(bob: User, conversation: UUID) -> None:
    point = {"conversation": str(conversation), "epoch": str(new_id()), "seq": 2}
    async with connect(bob, resume=[point]) as socket:
        entry = socket.welcome["resumed"][0]
        assert (entry["ok"], entry["reason"]) == (False, "epoch")
        assert (await socket.hear("joined"))["reason"] == "epoch"
        assert (await socket.hear())["type"] == "resync"


async def test_a_refused_hello_leaves_no_room_behind(bob: User, conversation: UUID) -> None:
    points: list[Frame] = [{"conversation": str(conversation), "seq": 0}] * 3
    async with connect(bob, resume=points) as socket:
        assert len(socket.welcome["resumed"]) == 3
        await socket.hear("joined")
        assert hub().rooms[conversation].visitors == 0
        assert len(hub().rooms[conversation].members) == 1
    await asyncio.sleep(0)
    assert conversation not in hub().rooms


async def test_fetch_fills_a_gap(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 20)
    await bob_socket.say(type="fetch", ref="f", conversation=str(conversation), after_seq=4, limit=5)
    page = await bob_socket.hear()
    assert (page["type"], page["ref"], page["head"]) == ("page", "f", 22)
    assert page["events"] == (await log(conversation, 4))[:5]
    await bob_socket.say(type="fetch", ref="g", conversation=str(conversation), after_seq=22, limit=5)
    assert (await bob_socket.hear())["events"] == []


async def test_a_new_numbering_makes_everybody_join_again(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    """4005: the server cannot say what this client has."""
    await join(bob_socket, conversation)
    await Conversation.objects.filter(id=conversation).aupdate(epoch=new_id())
    assert await bob_socket.closed_with() == 4005
    assert conversation not in hub().rooms


async def test_every_transport_shows_the_same_event(
    alice: User, conversation: UUID, alice_socket: Socket, bob_socket: Socket
) -> None:
    await join(alice_socket, conversation)
    await write(alice, conversation, "Grüße 👋🏽 你好")
    live = await alice_socket.hear("message:new")
    await ask(bob_socket, conversation, seq=0)
    replayed = [event async for event in _events(bob_socket)][-1]
    assert live == replayed == (await log(conversation))[-1]


async def _events(socket: Socket) -> Any:
    while (page := await socket.hear("catchup"))["events"]:
        for event in events_in(page):
            yield event
        if page["done"]:
            return
