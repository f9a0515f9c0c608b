"""The log as server-sent events: the same frames, the same cursor, over real requests to the application."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.cursors import Cursor
from conversations.models import Share
from conversations.services import runs
from realtime import shared, sse, userstream
from realtime.hub import hub
from tests.conftest import identity_of
from tests.conversations.assistants.support import asked
from tests.eventstreams import frames, request
from tests.outages import database_away
from tests.realtime.support import fill, head, join, log, remove, without_hints, write
from tests.realtime.test_answers import Answer
from tests.sockets import Socket

pytestmark = pytest.mark.usefixtures("realtime_layer")


async def test_the_log_then_live_in_the_same_form_as_everywhere(
    alice: User, conversation: UUID, bob_socket: Socket
) -> None:
    await fill(alice, conversation, 3)
    epoch, top = await head(conversation)
    await join(bob_socket, conversation)
    async with request(alice, f"conversations/{conversation}/events/") as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        found = await stream.until("message:new")
        found += await stream.until("message:new") + await stream.until("message:new")
        assert found[0] == {"retry": "1000"}
        assert frames(found) == await log(conversation)
        assert [event["id"] for event in found[1:]] == [f"{epoch}:{seq}" for seq in range(1, top + 1)]
        await write(alice, conversation, "Grüße\n👋🏽")
        live = (await stream.until("message:new"))[-1]
        assert json.loads(live["data"]) == await bob_socket.hear("message:new")


@pytest.mark.parametrize("where", ["header", "query", "both"])
async def test_it_goes_on_after_a_cursor(alice: User, conversation: UUID, where: str) -> None:
    await fill(alice, conversation, 5)
    epoch, _ = await head(conversation)
    headers = {} if where == "query" else {"last_event_id": f"{epoch}:4"}
    query = "" if where == "header" else "after_seq=4" if where == "query" else "after_seq=1"
    async with request(alice, f"conversations/{conversation}/events/", query=query, **headers) as stream:
        found = await stream.until("message:new")
        assert [frame["seq"] for frame in frames(found)] == [5]


@pytest.mark.parametrize("path", ["conversations/{}/events/", "stream/"])
async def test_since_a_time_brings_all_of_that_very_millisecond(alice: User, conversation: UUID, path: str) -> None:
    first, second = await log(conversation)
    assert first["at"] == second["at"]
    async with request(alice, path.format(conversation), query=f"since={second['at']}") as stream:
        assert frames(await stream.until("member:add")) == [first, second]


async def test_a_cursor_that_cannot_be_replayed(alice: User, conversation: UUID) -> None:
    for last, reason in ((f"{new_id()}:2", "epoch"), (f"{(await head(conversation))[0]}:99", "ahead")):
        path = f"conversations/{conversation}/events/"
        async with request(alice, path, last_event_id=last) as stream:
            answer = json.loads((await stream.body.get()) or b"")
            assert (stream.status, answer["code"], answer["reason"]) == (409, "resync_required", reason)
            assert answer["snapshot"]["seq"] == answer["head"] == 2


@pytest.fixture
def reconnected() -> Iterator[None]:
    """The connection of fixtures is broken with all others."""
    yield
    connection.close()


@pytest.mark.usefixtures("reconnected")
@pytest.mark.parametrize("kind", ["conversation", "user", "shared"])
async def test_the_database_goes_away_right_after_the_request_was_let_in(
    alice: User, conversation: UUID, kind: str
) -> None:
    identity = await in_thread(identity_of, alice)
    cursor = await in_thread(selectors.stream_now)
    share = Share(conversation_id=conversation)
    streams: dict[str, Callable[[], AsyncIterator[bytes]]] = {
        "conversation": lambda: sse.stream(identity, conversation, Cursor(None, 0), None),
        "user": lambda: userstream.stream(identity, cursor),
        "shared": lambda: shared.stream(share, 0),
    }
    with database_away():
        async with asyncio.timeout(5):
            told = b"".join([piece async for piece in streams[kind]()]).decode()
    error = json.loads(told.rsplit("event: error\ndata: ", 1)[1])
    assert (error["code"], error["retryable"], error["retry_after_ms"]) == ("unavailable", True, 1000)


async def test_strangers_and_nonsense(mallory: User, alice: User, conversation: UUID) -> None:
    path = f"conversations/{conversation}/events/"
    async with request(mallory, path) as stream:
        assert stream.status == 404
    async with request(alice, path, last_event_id="nonsense") as stream:
        assert stream.status == 400
    async with request(alice, path, query="after_seq=-1") as stream:
        assert stream.status == 400


async def test_a_running_answer_from_its_beginning_then_live(alice: User) -> None:
    conversation, claim = await in_thread(asked, alice)
    answer = Answer(claim)
    await answer.say("One ")
    async with request(alice, f"conversations/{conversation}/events/", query="after_seq=3") as stream:
        delta = (await stream.until("delta"))[-1]
        assert "id" not in delta
        assert (json.loads(delta["data"])["offset"], json.loads(delta["data"])["text"]) == (0, "One ")
        await answer.say("two")
        assert json.loads((await stream.until("delta"))[-1]["data"])["offset"] == 4
        await answer.end()
        assert frames(await stream.until("run:end"))[-1]["data"]["text"] == "One two"


async def test_who_is_removed_is_cut_off(alice: User, bob: User, conversation: UUID) -> None:
    async with request(bob, f"conversations/{conversation}/events/") as stream:
        await stream.until("member:add")
        await write(alice, conversation, "Last words")
        await remove(alice, conversation, bob)
        await write(alice, conversation, "Secret")
        rest = frames(await stream.rest(seconds=2))
        assert [frame["data"].get("text") for frame in rest] == ["Last words"]
    await asyncio.sleep(0)
    assert conversation not in hub().rooms


async def test_who_is_removed_is_cut_off_without_hints(alice: User, bob: User, conversation: UUID) -> None:
    async with request(bob, f"conversations/{conversation}/events/") as stream:
        await stream.until("member:add")
        with without_hints():
            await remove(alice, conversation, bob)
            await write(alice, conversation, "Secret")
            assert frames(await stream.rest(seconds=3)) == []


async def test_posting_shows_the_answer_and_ends_with_it(alice: User) -> None:
    conversation, claim = await in_thread(asked, alice)
    first = Answer(claim)
    body = {"text": "And then?", "cmid": "m2"}
    async with request(alice, f"conversations/{conversation}/messages/", body=body) as stream:
        mine = frames(await stream.until("message:new"))[-1]
        assert (mine["data"]["text"], mine["cmid"]) == ("And then?", "m2")
        await first.say("First.")
        await first.end()
        assert frames(await stream.until("run:end"))[-1]["data"]["run"] != mine["data"]["run"]
        second = Answer(await in_thread(_claim_next, conversation))
        await second.say("Second.")
        await second.end()
        rest = frames(await stream.rest())
        assert [frame["type"] for frame in rest] == ["run:start", "delta", "run:end"]
        assert rest[-1]["data"]["run"] == mine["data"]["run"]
    async with request(alice, f"conversations/{conversation}/messages/", body=body) as stream:
        again = frames(await stream.rest())
        assert (again[0], again[-1]) == (mine, rest[-1])


def _claim_next(conversation: UUID) -> Any:

    return runs.claim(conversation=conversation, worker="test")


async def test_posting_where_nobody_answers_ends_at_once(alice: User, conversation: UUID) -> None:
    async with request(alice, f"conversations/{conversation}/messages/", body={"text": "Hi"}) as stream:
        assert [frame["type"] for frame in frames(await stream.rest())] == ["message:new"]


async def test_signs_of_life(alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SSE_COMMENT_SECONDS", 0.1)
    async with request(alice, f"conversations/{conversation}/events/", query="after_seq=2") as stream:
        async with asyncio.timeout(3):
            assert await stream.body.get() == b"retry: 1000\n\n"
            assert await stream.body.get() == b": alive\n\n"
            assert await stream.body.get() == b": alive\n\n"


async def test_a_reader_that_is_too_slow_is_served_from_the_log(alice: User, conversation: UUID) -> None:
    """Nothing is read while 3 MB are written: what waits is bounded, and nothing is missing afterwards."""
    with override_settings(BATCH_MAX_BYTES=65536):
        async with request(alice, f"conversations/{conversation}/events/") as stream:
            await stream.until("member:add")
            await fill(alice, conversation, 100, "x" * 30_000)
            seqs: list[int] = []
            while not seqs or seqs[-1] < 102:
                seqs += [frame["seq"] for frame in frames(await stream.until("message:new"))]
            assert seqs == list(range(3, 103))


async def test_a_client_that_goes_leaves_no_room_behind(alice: User, conversation: UUID) -> None:
    async with request(alice, f"conversations/{conversation}/events/") as stream:
        await stream.until("member:add")
        assert len(hub().rooms[conversation].members) == 1
    assert conversation not in hub().rooms
