"""The ack window, what waits beyond it, and slow clients."""

import asyncio
import json
import time
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from realtime.hub import hub
from realtime.outbox import Outbox, Waiting
from realtime.pace import Pace
from tests.realtime.support import change_role, events_in, fill, head, join, joined, seqs, write
from tests.sockets import Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")
WINDOW = 20
LIMIT = 256 * 1024


async def messages_until_silence(socket: Socket, seconds: float = 0.4) -> list[str]:
    """WebSocket messages as they come, unacknowledged, until none comes."""
    communicator = socket._communicator
    found: list[str] = []
    while True:
        try:
            async with asyncio.timeout(seconds):
                message = await communicator.output_queue.get()
        except TimeoutError:
            return found
        assert message["type"] == "websocket.send", message
        found.append(message["text"])


def seqs_in(texts: list[str]) -> list[int]:
    frames = [json.loads(text) for text in texts]
    flat = [one for frame in frames for one in (frame if isinstance(frame, list) else [frame])]
    return [event["seq"] for frame in flat for event in events_in(frame)]


async def test_beyond_the_window_frames_wait_and_are_joined(alice: User, bob: User, conversation: UUID) -> None:
    async with connect(bob, acks=False) as socket:
        await join(socket, conversation, seq=0)
        for number in range(60):
            await write(alice, conversation, f"{number}")
        first = await messages_until_silence(socket)
        assert len(first) <= WINDOW - 2
        await socket.say(type="ack", n=WINDOW)
        rest = await messages_until_silence(socket)
        assert len(rest) == 1
        assert seqs_in(first + rest) == list(range(3, 63))
        assert seqs_in(rest)[0] == seqs_in(first)[-1] + 1


async def test_more_than_may_wait_is_served_from_the_log(alice: User, bob: User, conversation: UUID) -> None:
    """5 MB while the client acknowledges nothing: the server keeps 256 KiB at most, the client gets all."""
    async with connect(bob, acks=False) as socket:
        await join(socket, conversation, seq=0)
        for _ in range(10):
            await fill(alice, conversation, 25, "漢" * 7000)
        received = await messages_until_silence(socket)
        member = next(iter(hub().rooms[conversation].members))
        assert member.session.outbox._size <= LIMIT  # type: ignore[attr-defined]
        assert member.behind  # type: ignore[attr-defined]
        count = 2 + len(received)
        last = (await head(conversation))[1]
        while seqs_in(received)[-1] < last:
            await socket.say(type="ack", n=count)
            page = await messages_until_silence(socket)
            assert page
            received += page
            count += len(page)
        assert seqs_in(received) == list(range(3, last + 1))
        assert max(len(text.encode()) for text in received) <= LIMIT
        await socket.say(type="ack", n=count)
        live = (await write(alice, conversation, "live"))["seq"]
        assert await seqs(socket, live) == [live]


async def test_a_slow_client_slows_nobody(alice: User, bob: User, conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    async with connect(bob, acks=False) as slow:
        await join(slow, conversation)
        for number in range(100):
            begun = time.monotonic()
            event = await write(alice, conversation, "x" * 10_000)
            while (await alice_socket.hear("message:new"))["seq"] != event["seq"]:
                pass
            assert time.monotonic() - begun < 1, number


@override_settings(ACK_SECONDS=1)
async def test_what_stays_unacknowledged_closes(alice: User, bob: User, conversation: UUID) -> None:
    async with connect(bob, acks=False) as socket:
        begun = time.monotonic()
        assert await socket.closed_with() == 4003
        assert 0.9 < time.monotonic() - begun < 3


@override_settings(ACK_SECONDS=1)
async def test_acknowledging_some_does_not_excuse_the_rest(bob: User, conversation: UUID, alice: User) -> None:
    async with connect(bob, acks=False) as socket:
        await socket.say(type="ack", n=1)
        await join(socket, conversation)
        begun = time.monotonic()
        for n in (2, 2, 2):
            await asyncio.sleep(0.4)
            await socket.say(type="ack", n=n)
        assert await socket.closed_with() == 4003
        assert time.monotonic() - begun < 3


@override_settings(ACK_SECONDS=1)
async def test_a_client_that_acknowledges_stays(alice: User, bob: User, conversation: UUID) -> None:
    async with connect(bob) as socket:
        await join(socket, conversation)
        for n in range(5):
            await socket.say(type="ack", n=socket._messages)
            await write(alice, conversation, f"{n}")
            await socket.hear("message:new")
            await asyncio.sleep(0.4)


@override_settings(TIMEOUT_MS=1200, HEARTBEAT_MS=500)
async def test_silence_closes_and_any_frame_is_life(alice: User, bob: User) -> None:
    async with connect(alice) as silent, connect(bob) as alive:
        beats = 0
        closing = asyncio.create_task(silent.closed_with())
        for _ in range(8):
            await asyncio.sleep(0.3)
            await alive.say(type="pong", n=beats)
        assert await closing == 4002
        assert (await alive.hear("heartbeat"))["n"] == 1


@override_settings(HEARTBEAT_MS=100)
async def test_a_heartbeat_says_where_the_conversations_stand(alice: User, conversation: UUID) -> None:
    async with joined(alice, conversation) as socket:
        assert (await socket.hear("heartbeat", seconds=3))["heads"] == {str(conversation): 2}


async def test_pages_of_large_events_are_bounded(alice: User, conversation: UUID, bob_socket: Socket) -> None:
    await fill(alice, conversation, 40, "漢" * 30_000)
    await bob_socket.say(type="fetch", ref=1, conversation=str(conversation), after_seq=2, limit=200)
    page = await bob_socket.hear("page")
    assert [event["seq"] for event in page["events"]] == [3, 4]
    assert len(json.dumps(page, ensure_ascii=False).encode()) <= LIMIT
    await bob_socket.say(type="join", ref=2, conversation=str(conversation), seq=0)
    await bob_socket.hear("joined")
    assert await seqs(bob_socket, 42) == list(range(1, 43))


async def test_who_asks_and_never_reads_is_stopped(alice: User, conversation: UUID) -> None:
    """Answers cannot be dropped: frames wait unread in their lane meanwhile, and the memory stays bounded."""
    await fill(alice, conversation, 20, "x" * 30_000)
    async with connect(alice, acks=False) as socket:
        ask = {"type": "fetch", "conversation": str(conversation), "after_seq": 2, "limit": 200}
        for ref in range(200):
            await socket.say(ref=ref, **ask)
        await messages_until_silence(socket)
        session = next(iter(hub()._watched))
        assert session.outbox._size < 3 * LIMIT  # type: ignore[attr-defined]


async def test_both_the_acknowledgement_and_the_event_come(conversation: UUID, alice_socket: Socket) -> None:
    await join(alice_socket, conversation)
    await alice_socket.say(type="send", ref=1, conversation=str(conversation), cmid="m", text="Hi")
    two = [await alice_socket.hear(), await alice_socket.hear()]
    assert {frame["type"] for frame in two} == {"sent", "message:new"}
    assert len({frame["seq"] for frame in two}) == 1


async def test_events_in_a_burst_are_joined_into_few_messages(
    alice: User, bob: User, conversation: UUID, bob_socket: Socket
) -> None:
    await join(bob_socket, conversation)
    before = bob_socket._messages
    await fill(alice, conversation, 300)
    assert await seqs(bob_socket, 302) == list(range(3, 303))
    assert bob_socket._messages - before < 60


class Wire:
    """Takes text as slowly as the test wants."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.open = asyncio.Event()

    async def send(self, text: str) -> None:
        self.taken.append(text)
        await self.open.wait()


class Room:
    def __init__(self) -> None:
        self.drops = 0

    def note_sent(self, seq: int) -> None: ...

    def note_dropped(self) -> None:
        self.drops += 1


async def test_a_connection_that_takes_nothing_is_bounded_before_its_window_is_full() -> None:
    """The server's socket is full (no acknowledgement is outstanding but one): waiting text is dropped."""
    wire, room = Wire(), Room()
    outbox = Outbox(wire.send, Pace())
    for _ in range(50):
        outbox.push(Waiting("x" * 20_000, 20_000, room))
        await asyncio.sleep(0)
    assert len(wire.taken) == 1
    assert room.drops
    assert outbox._size <= LIMIT
    wire.open.set()


async def test_a_connection_that_breaks_while_sending_ends_the_outbox() -> None:
    async def broken(text: str) -> None:
        raise ConnectionResetError

    outbox = Outbox(broken, Pace())
    outbox.say("{}")
    await asyncio.sleep(0.01)
    outbox.say("{}")
    assert outbox._size == 0


async def test_roles_and_order_survive_a_drop(alice: User, bob: User, conversation: UUID) -> None:
    """What concerns the member itself is in the log like everything else."""
    async with connect(bob, acks=False) as socket:
        await join(socket, conversation, seq=0)
        for _ in range(30):
            await write(alice, conversation, "x" * 30_000)
        await change_role(alice, conversation, bob, "viewer")
        received = await messages_until_silence(socket)
        for _ in range(20):
            await socket.say(type="ack", n=2 + len(received))
            received += await messages_until_silence(socket, 0.2)
            if seqs_in(received)[-1] == 33:
                break
        assert seqs_in(received) == list(range(3, 34))
        await socket.say(type="send", ref=1, conversation=str(conversation), cmid="m", text="Hi")
        assert (await socket.hear())["code"] == "forbidden"
