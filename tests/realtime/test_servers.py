"""What only a real server shows, on both: limits of frames, clients that vanish, clients that never read, its end."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2 as httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from accounts.services import tokens
from chatproject.embedded.web import SERVERS
from chatproject.lib.threads import in_thread
from tests.faults.cluster import Cluster
from tests.realtime.support import events_in, fill, head, write

MEGABYTE = 1024 * 1024


@asynccontextmanager
async def opened(running: Cluster, user: User, **options: Any) -> AsyncIterator[ClientConnection]:
    """A welcomed socket of `user`."""
    token = (await in_thread(tokens.issue, user))["access"]
    async with connect(running.addresses[0], close_timeout=1, ping_interval=None, **options) as link:
        await say(link, type="hello", v=1, client_id="test", token=token)
        assert json.loads(await link.recv())["type"] == "welcome"
        yield link


async def say(link: ClientConnection, **frame: Any) -> None:
    await link.send(json.dumps(frame))


async def close_code(link: ClientConnection, seconds: float = 5) -> int:
    """Read until the server closes; the code."""
    async with asyncio.timeout(seconds):
        with suppress(ConnectionClosed):
            while True:
                await link.recv()
    return link.close_code or 0


@pytest.fixture(params=sorted(SERVERS))
def one(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Cluster]:
    """One web server and nothing else."""
    return lambda **settings: Cluster(tmp_path, webs=1, workers=0, server=request.param, **settings)


async def test_limits(alice: User, conversation: UUID, one: Callable[..., Cluster]) -> None:
    quick = {"HELLO_SECONDS": "1", "TIMEOUT_MS": "3000", "HEARTBEAT_MS": "60000", "ACK_SECONDS": "1"}
    async with one(**quick) as running:
        async with opened(running, alice) as link:
            await link.send("x" * (64 * 1024 + 1))
            assert await close_code(link) == 1009
        async with opened(running, alice) as link:
            await link.send(["x" * 40_000, "x" * 40_000])  # fragments of one message
            assert await close_code(link) == 1009
        async with opened(running, alice) as link:
            await link.send(b"\x00")
            assert await close_code(link) == 4500
        async with connect(running.addresses[0]) as link:
            assert await close_code(link) == 4501
        async with opened(running, alice) as link:
            for _ in range(5):
                await link.send("{")
            assert await close_code(link) == 4509
        await asyncio.gather(_silent(running, alice), _unacknowledged(running, alice))
        await _half_open(running)
        await _draining(running, alice)
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def _silent(running: Cluster, user: User) -> None:
    async with opened(running, user) as link:
        await say(link, type="ack", n=1)
        begun = time.monotonic()
        assert await close_code(link) == 4002
        assert 2.5 < time.monotonic() - begun < 5


async def _unacknowledged(running: Cluster, user: User) -> None:
    async with opened(running, user) as link:
        begun = time.monotonic()
        assert await close_code(link) == 4003
        assert 0.9 < time.monotonic() - begun < 3


async def _draining(running: Cluster, user: User) -> None:
    """Asked to end, the server sends its client away, and ends."""
    async with opened(running, user) as link:
        web = running.webs[0]
        web.process.terminate()
        assert json.loads(await link.recv())["type"] == "drain"
        assert await close_code(link) == 4001
        assert await asyncio.to_thread(web.process.wait, 15) in (0, -signal.SIGTERM)


async def _half_open(running: Cluster) -> None:
    """A handshake that never ends, a header of a gigabyte: the server goes on."""
    for payload in (b"GET /ws/ HTTP/1.1\r\nHost: x\r\n", b"GET /ws/ HTTP/1.1\r\nX: " + b"x" * MEGABYTE):
        with socket.create_connection(("127.0.0.1", running.webs[0].port), 2) as raw:
            try:
                raw.sendall(payload)
            except OSError:
                continue
    assert await asyncio.to_thread(running.webs[0].answers)


async def test_more_streams_than_connections_to_the_database(
    alice: User, conversation: UUID, one: Callable[..., Cluster]
) -> None:
    """Streams hold none of them, and whoever goes away without a word takes none along."""
    access = (await in_thread(tokens.issue, alice))["access"]
    bearer, stream = {"Authorization": f"Bearer {access}"}, {"Accept": "text/event-stream"}
    async with one(DB_POOL_SIZE="4") as running:
        paths = ["/api/v1/stream/", f"/api/v1/conversations/{conversation}/events/"] * 6
        for turn in range(2):
            async with AsyncExitStack() as stack:
                http = await stack.enter_async_context(
                    httpx.AsyncClient(base_url=running.webs[0].url, headers=bearer, timeout=10)
                )
                streams = [await stack.enter_async_context(http.stream("GET", path, headers=stream)) for path in paths]
                lines = [one.aiter_lines() for one in streams]
                assert [(await anext(one)).split(":")[0] for one in lines] == ["id", "retry"] * 6
                said = await http.post(f"/api/v1/conversations/{conversation}/messages/", json={"text": f"Turn {turn}"})
                assert said.status_code == 201
                async with asyncio.timeout(10):
                    await asyncio.gather(*(_brings(one, f"Turn {turn}") for one in lines))
        assert running.webs[0].metric("refusals_total") == 0


async def _brings(lines: AsyncIterator[str], text: str) -> None:
    async for line in lines:
        if text in line:
            return
    raise AssertionError("the stream ended")


class Reader:
    """Reads a socket, acknowledges, and keeps the numbers of the events."""

    def __init__(self, link: ClientConnection) -> None:
        self.link = link
        self.seqs: list[int] = []
        self.received = 1

    async def read(self, until: int) -> None:
        while not self.seqs or self.seqs[-1] < until:
            found = json.loads(await self.link.recv())
            for frame in found if isinstance(found, list) else [found]:
                self.seqs += [event["seq"] for event in events_in(frame)]
            self.received += 1
            if self.received % 10 == 0:
                await say(self.link, type="ack", n=self.received)


async def test_a_client_that_never_reads(
    alice: User, bob: User, conversation: UUID, one: Callable[..., Cluster]
) -> None:
    """6 MB are said while one does not read: the server stays small, another is not slowed, and in the end
    the slow one has everything, in order."""
    async with one() as running, opened(running, alice) as link, opened(running, bob, max_queue=1) as lazy:
        process = psutil.Process(running.webs[0].process.pid)
        quick, slow = Reader(link), Reader(lazy)
        for reader in (quick, slow):
            await say(reader.link, type="join", ref=1, conversation=str(conversation), seq=0)
        await fill(alice, conversation, 20, "x" * 30_000)
        await quick.read(22)
        before = process.memory_info().rss
        times = []
        for _ in range(5):
            await fill(alice, conversation, 40, "x" * 30_000)
            event, begun = await write(alice, conversation), time.monotonic()
            await quick.read(event["seq"])
            times.append(time.monotonic() - begun)
        assert process.memory_info().rss - before < 10 * MEGABYTE
        assert sorted(times)[2] < 1
        _, last = await head(conversation)
        async with asyncio.timeout(30):
            await slow.read(last)
        assert process.memory_info().rss - before < 10 * MEGABYTE
        assert quick.seqs == slow.seqs == list(range(1, last + 1))
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]
