"""Clients that mean harm, at real servers: bad frames, endless ones, slow ones. Nobody else notices."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from chatproject.lib.errors import CODES
from tests.faults.byhand import Line, dial
from tests.faults.cluster import Cluster
from tests.faults.rawsocket import BINARY, CONTINUATION, PING, TEXT, RawSocket, frame
from tests.realtime.test_bad_frames import ANY_TEXT, ID, MALFORMED

MEGABYTE = 1024 * 1024
HELLO_SECONDS = 2
# Codes by which a server may end a connection over which nonsense comes.
FOR_NONSENSE = {4500, 4501, 4509, 1002, 1007, 1009}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One server, which all these tests attack; at the end it is well."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with Cluster(folder, webs=1, workers=0, HELLO_SECONDS=str(HELLO_SECONDS)) as running:
        yield running
        assert running.webs[0].answers()
        # uvicorn itself writes down what is no UTF-8 with a traceback, in its own log.
        log = running.webs[0].log.read_text()
        assert log.count("Traceback") == log.count("Invalid UTF-8 sequence"), log[-3000:]


def memory(running: Cluster) -> int:
    return int(psutil.Process(running.webs[0].process.pid).memory_info().rss)


async def still_serves(line: Line) -> bool:
    """Whether a connection is answered as ever."""
    return (await line.ask(type="leave", ref="well?", conversation=ID))["type"] == "ok"


async def test_every_malformed_frame_is_answered_and_the_fifth_ends_it(alice: User, running: Cluster) -> None:
    """All of the corpus, five to a connection."""
    texts = [text for text in MALFORMED.values() if _can_be_sent(text)]
    for start in range(0, len(texts), 5):
        async with dial(running.addresses[0], alice) as line:
            for text in [*texts, *texts][start : start + 5]:
                await line.socket.send(text)
                error = await line.hear()
                assert (error["type"], error["code"], error["retryable"]) == ("error", "invalid", False)
                assert "Traceback" not in error["message"]
            assert await line.closed() == 4509


def _can_be_sent(text: str) -> bool:
    return all(not 0xD800 <= ord(letter) < 0xE000 for letter in text)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ANY_TEXT.filter(_can_be_sent) | st.binary(max_size=40), min_size=1, max_size=6))
async def test_anything_at_all(alice: User, running: Cluster, messages: list[str | bytes]) -> None:
    """Answers have known codes; a connection that ends, ends by a code of the protocol."""
    async with dial(running.addresses[0], alice) as line:
        with suppress(ConnectionClosed):
            for message in messages:
                await line.socket.send(message)
            await still_serves(line)
        assert {one["code"] for one in line.heard if one["type"] == "error"} <= CODES.keys() - {"internal"}
        assert line.socket.close_code in {None, *FOR_NONSENSE}


HELLO = json.dumps({"type": "hello", "v": 1, "client_id": "raw", "token": "nonsense"}).encode()
ATTACKS: dict[str, tuple[Callable[[], Iterator[bytes]], set[int | None]]] = {
    "a header that claims a gigabyte": (lambda: _endless(frame(TEXT, claims=2**30)), {1009}),
    "a header that claims 2^63 bytes": (lambda: _endless(frame(TEXT, claims=2**63)), {1002, 1009, None}),
    "64 KiB and one byte": (lambda: iter([frame(TEXT, b"x" * (64 * 1024 + 1))]), {1009}),
    "fragments without end": (lambda: _fragments(b"x" * 1000), {1009}),
    "binary": (lambda: iter([frame(BINARY, b"\0")]), {4500}),
    "text that is no UTF-8": (lambda: iter([frame(TEXT, b"\xff\xfe")]), {1007}),
    "a surrogate as UTF-8": (lambda: iter([frame(TEXT, b'"\xed\xa0\x80"')]), {1007}),
    "a frame without a mask": (lambda: iter([frame(TEXT, HELLO, masked=False)]), {1002}),
    "an opcode that is not there": (lambda: iter([frame(0x3)]), {1002}),
    "a continuation of nothing": (lambda: iter([frame(CONTINUATION, b"x")]), {1002}),
    "a ping that is too long": (lambda: iter([frame(PING, b"x" * 126)]), {1002}),
    "a ping in pieces": (lambda: iter([frame(PING, b"x", final=False)]), {1002}),
    "a bad token": (lambda: iter([frame(TEXT, HELLO)]), {4501}),
}


def _endless(head: bytes) -> Iterator[bytes]:
    """A head and up to 32 MiB after it."""
    yield head
    for _ in range(512):
        yield b"x" * 65536


def _fragments(piece: bytes) -> Iterator[bytes]:
    yield frame(TEXT, piece, final=False)
    for _ in range(32 * 1024):
        yield frame(CONTINUATION, piece, final=False)


@pytest.mark.parametrize(("attack", "codes"), ATTACKS.values(), ids=ATTACKS.keys())
async def test_frames_that_no_library_sends(
    alice: User, running: Cluster, attack: Callable[[], Iterator[bytes]], codes: set[int | None]
) -> None:
    """Ended by the right code; the server takes little memory, and others are served."""

    def send() -> int | None:
        with RawSocket(running.webs[0].port) as raw:
            raw.shake_hands()
            all(raw.send(piece) for piece in attack())
            return raw.end(5)

    async with dial(running.addresses[0], alice) as other:
        before = memory(running)
        assert await asyncio.to_thread(send) in codes
        assert memory(running) - before < 8 * MEGABYTE
        assert await still_serves(other)


async def test_empty_fragments_take_no_memory(alice: User, running: Cluster) -> None:
    def send() -> None:
        with RawSocket(running.webs[0].port) as raw:
            raw.shake_hands().send(frame(TEXT, b"x", final=False))
            for _ in range(200):
                raw.send(frame(CONTINUATION, final=False) * 500)

    async with dial(running.addresses[0], alice) as other:
        before = memory(running)
        await asyncio.to_thread(send)
        assert await still_serves(other)
        assert memory(running) - before < 8 * MEGABYTE


SLOW = {
    "says nothing": [],
    "half of a request's head": [b"GET /ws/ HTTP/1.1\r\nHost: x\r\n"],
    "a head byte by byte": [b"GET /ws/ HTTP/1.1\r\n", *(b"X-%d: y\r\n" % number for number in range(100))],
    "a head without end": [b"GET / HTTP/1.1\r\nX: " + b"x" * MEGABYTE],
}


async def test_handshakes_that_take_their_time(running: Cluster) -> None:
    """Closed HELLO_SECONDS after they began, whether silent or slow; so is a handshake without a `hello`."""

    def wait(pieces: list[bytes], *, shake: bool = False) -> float:
        begun = time.monotonic()
        with RawSocket(running.webs[0].port) as raw:
            if shake:
                raw.shake_hands()
            for piece in pieces:
                if not raw.send(piece) or raw.hears(0.1):
                    break
            raw.end(HELLO_SECONDS + 3)
        return time.monotonic() - begun

    hello = [bytes([byte]) for byte in frame(TEXT, HELLO)]
    times = await asyncio.gather(
        *(asyncio.to_thread(wait, pieces) for pieces in SLOW.values()),
        asyncio.to_thread(wait, [], shake=True),
        asyncio.to_thread(wait, hello, shake=True),
    )
    assert max(times) < HELLO_SECONDS + 2, dict(zip([*SLOW, "no hello", "hello byte by byte"], times, strict=True))
