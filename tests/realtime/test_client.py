"""The Python client against real servers: what it is asked to send is stored once, what it hears is in order."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.models import Session
from conversations.services import sessions
from realtime.client import Client, Refused, Room, State, wait_before
from tests.faults.cluster import Cluster
from tests.realtime.support import fill, log, remove, write
from tests.serving import BASE_DIR


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A web server and a worker that the tests of this module share."""
    with Cluster(tmp_path_factory.mktemp("shared"), webs=1, workers=1) as running:
        yield running


@pytest.fixture
def cluster(tmp_path: Path) -> Callable[..., Cluster]:
    return lambda **options: Cluster(tmp_path, **{"webs": 1, "workers": 0, **options})


@asynccontextmanager
async def following(url: str, user: User, conversation: UUID, **options: object) -> AsyncIterator[tuple[Client, Room]]:
    token = (await in_thread(tokens.issue, user))["access"]
    async with Client(url, token=token, **options) as client:  # type: ignore[arg-type]
        yield client, client.join(str(conversation))


async def hear(room: Room, type_: str, count: int = 1) -> list[dict]:
    """The next `count` frames of a type."""
    found: list[dict] = []
    async with asyncio.timeout(60):
        async for frame in room:
            if frame["type"] == type_:
                found.append(frame)
            if len(found) == count:
                return found
    raise AssertionError("the room ended")


def url_of(running: Cluster) -> str:
    return f"http://127.0.0.1:{running.webs[0].port}"


@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_alice_and_bob_talk(alice: User, bob: User, conversation: UUID, running: Cluster, transport: str) -> None:
    here = following(url_of(running), alice, conversation, transport=transport)
    there = following(url_of(running), bob, conversation)
    async with here as (_, alices), there as (_, bobs):
        sent = await alices.send("Hello Bob")
        assert (sent["seq"], sent["dup"]) == (3, False)
        assert (await hear(bobs, "message:new"))[0]["data"]["text"] == "Hello Bob"
        await bobs.send("Hello Alice")
        assert [event["seq"] for event in await hear(alices, "message:new", 2)] == [3, 4]


@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_separators_within_a_text_are_text(
    alice: User, conversation: UUID, running: Cluster, transport: str
) -> None:
    """JSON need not escape them, and Python takes them for ends of lines."""
    async with following(url_of(running), alice, conversation, transport=transport) as (_, room):
        await room.send("one\u2028two\x85three")
        assert (await hear(room, "message:new"))[0]["data"]["text"] == "one\u2028two\x85three"


async def test_an_answer_grows(alice: User, conversation: UUID, running: Cluster) -> None:
    async with following(url_of(running), alice, conversation) as (_, room):
        await room.send("slow 20 20", assistant="openai")
        text = ""
        async with asyncio.timeout(60):
            async for frame in room:
                if frame["type"] == "delta":
                    assert frame["offset"] == len(text)
                    text += frame["text"]
                elif frame["type"] == "run:end":
                    assert frame["data"]["text"].startswith(text)
                    assert text
                    return


async def test_the_server_dies_and_comes_back(
    alice: User, bob: User, conversation: UUID, cluster: Callable[..., Cluster]
) -> None:
    states: list[State] = []
    async with cluster() as running:
        async with following(url_of(running), alice, conversation, on_state=states.append) as (_, room):
            await room.send("before")
            await asyncio.to_thread(running.webs[0].kill)
            await write(bob, conversation, "meanwhile")
            after = asyncio.create_task(room.send("after"))
            running.webs[0].start()
            assert (await asyncio.wait_for(after, 120))["seq"] == 5
            heard = [event["data"]["text"] for event in await hear(room, "message:new", 3)]
            assert heard == ["before", "meanwhile", "after"]
        assert states[:2] == ["connecting", "online"]
        assert "waiting" in states
        assert states[-1] == "closed"


@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_it_stays_away_when_staff_ended_its_session(
    alice: User, bob: User, conversation: UUID, running: Cluster, transport: str
) -> None:
    told: list[dict] = []
    options = {"transport": transport, "on_notice": told.append}
    async with following(url_of(running), alice, conversation, **options) as (client, room):
        await room.send("Still here?")
        await hear(room, "message:new")
        session = await in_thread(Session.objects.get, user=alice)
        await in_thread(lambda: sessions.end_as_staff(staff=bob, session=session.id))
        async with asyncio.timeout(5):
            async for _ in room:
                pass
        assert (client.state, client.close_code) == ("closed", 4501)
    assert [(frame["type"], frame["reason"]) for frame in told] == [("session:expired", "staff")]


async def test_from_the_beginning_it_resumes_as_from_anywhere(
    alice: User, bob: User, conversation: UUID, cluster: Callable[..., Cluster]
) -> None:
    async with cluster() as running:
        token = (await in_thread(tokens.issue, alice))["access"]
        async with Client(url_of(running), token=token) as client:
            room = client.join(str(conversation), seq=0)
            await room.send("before")
            await asyncio.to_thread(running.webs[0].kill)
            await write(bob, conversation, "meanwhile")
            running.webs[0].start()
            heard = [frame["type"] async for frame in _until(room, seq=4)]
            assert "resync" not in heard
            assert heard.count("message:new") == 2


async def _until(room: Room, seq: int) -> AsyncIterator[dict]:
    async with asyncio.timeout(120):
        async for frame in room:
            yield frame
            if frame.get("seq") == seq:
                return


async def test_an_answer_that_began_before_what_is_held_grows_too(
    alice: User, conversation: UUID, running: Cluster
) -> None:
    """Its `run:start` is not on the newest page, or before a resync."""
    async with following(url_of(running), alice, conversation) as (client, room):
        await room.send("slow 500 20", assistant="openai")
        await hear(room, "delta")
        await fill(alice, conversation, 110)
        for epoch, seq in ((None, None), ("01900000-0000-7000-8000-000000000000", 2)):
            await client.leave(str(conversation))
            late = client.join(str(conversation), epoch=epoch, seq=seq)
            first = (await hear(late, "delta"))[0]
            assert first["offset"] == 0
            assert (late.text(first["run"]) or "").startswith(first["text"])


@asynccontextmanager
async def no_websockets(port: int) -> AsyncIterator[str]:
    """A proxy in front of `port` that knows only plain HTTP; its address."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"upgrade: websocket" in head.lower():
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return writer.close()
        upstream, out = await asyncio.open_connection("127.0.0.1", port)
        out.write(head)
        await asyncio.gather(_pipe(reader, out), _pipe(upstream, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def test_where_websockets_are_blocked(alice: User, bob: User, conversation: UUID, running: Cluster) -> None:
    async with (
        no_websockets(running.webs[0].port) as url,
        following(url, alice, conversation) as (client, room),
    ):
        assert (await room.send("by POST"))["seq"] == 3
        await write(bob, conversation, "by event stream")
        heard = await hear(room, "message:new", 2)
        assert [event["data"]["text"] for event in heard] == ["by POST", "by event stream"]
        assert client.state == "online"


async def test_a_message_larger_than_a_frame_is_a_request(alice: User, conversation: UUID, running: Cluster) -> None:
    """32,000 characters of Chinese are 96 KB; the connection stays what it is."""
    async with following(url_of(running), alice, conversation, transport="websocket") as (client, room):
        first = await room.send("short")
        sent = await asyncio.wait_for(room.send("漢" * 32_000, cmid="large"), 10)
        assert (sent["seq"], sent["dup"]) == (first["seq"] + 1, False)
        assert (await hear(room, "message:new", 2))[1]["data"]["text"] == "漢" * 32_000
        assert client.state == "online"


@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_refused_for_good(alice: User, conversation: UUID, running: Cluster, transport: str) -> None:
    async with following(url_of(running), alice, conversation, transport=transport) as (client, room):
        async with asyncio.timeout(60):
            with pytest.raises(Refused) as refused:
                await room.send("   ")
            assert refused.value.code == "invalid"
            strange = client.join("01900000-0000-7000-8000-000000000000")
            assert [frame async for frame in strange] == []
        assert strange.error
        assert strange.error.code == "not_found"
        assert len(await log(conversation)) == 2


async def test_a_cursor_that_cannot_be_replayed_by_event_stream(
    alice: User, bob: User, conversation: UUID, running: Cluster
) -> None:
    async with following(url_of(running), alice, conversation, transport="sse") as (client, room):
        await hear(room, "member:add")
        await client.leave(str(conversation))
        again = client.join(str(conversation), epoch=str(new_id()), seq=1)
        resync = (await hear(again, "resync"))[0]
        assert (resync["reason"], again.seq, again.epoch) == ("epoch", 2, room.epoch)
        await write(bob, conversation, "after it")
        assert (await hear(again, "message:new"))[0]["seq"] == 3


@asynccontextmanager
async def busy(refusals: int) -> AsyncIterator[str]:
    """A server that has no time for so many streams, then one for the next; its address."""
    left = refusals

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        is_stream = b"/events/" in await reader.readuntil(b"\r\n\r\n")
        if is_stream and left:
            left -= 1
            writer.write(
                b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nConnection: close\r\n\r\n" + b'{"code": "unavailable"}'
            )
            return writer.close()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        if not is_stream:
            return writer.close()
        writer.write(b'id: e:1\nevent: x\ndata: {"type": "x", "conversation": "c", "seq": 1, "data": {}}\n\n')
        await reader.read()
        return writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_event_stream_that_is_refused_for_now_is_asked_for_again() -> None:
    async with busy(3) as url, Client(url, token="any", transport="sse") as client:
        assert (await hear(client.join("c"), "x"))[0]["seq"] == 1
        assert client.state == "online"


async def test_who_is_removed_hears_no_more(alice: User, bob: User, conversation: UUID, running: Cluster) -> None:
    async with following(url_of(running), bob, conversation) as (_, room):
        await room.send("still here")
        await remove(alice, conversation, bob)
        async with asyncio.timeout(10):
            assert "message:new" in [frame["type"] async for frame in room]
        assert room.error
        assert room.error.code == "forbidden"


async def test_a_bad_token_ends_it(conversation: UUID, running: Cluster) -> None:
    async with Client(url_of(running), token="nonsense") as client:
        room = client.join(str(conversation))
        async with asyncio.timeout(10):
            assert [frame async for frame in room] == []
        assert (client.state, client.close_code) == ("closed", 4501)


async def test_who_is_cancelled_while_closing_is_cancelled(alice: User, conversation: UUID, running: Cluster) -> None:
    async with following(url_of(running), alice, conversation) as (client, room):
        await room.send("Here I am")
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing


def test_it_needs_no_django() -> None:
    program = "import sys, realtime.client; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=BASE_DIR, check=False).returncode == 0


def test_waits() -> None:
    chance = random.Random(1)
    for attempt, seconds in enumerate((1, 2, 4, 8, 16), start=1):
        assert all(abs(wait_before(attempt, chance) - seconds) <= 0.5 for _ in range(100))
    assert all(0 <= wait_before(6, chance) <= 30 for _ in range(100))
