"""Text messages that go past uvicorn's state machine: however they come in, they are heard, once and in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from uvicorn import Config, Server
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from chatproject.embedded.direct import EXTENSION, Direct
from tests.faults.support import until

MOST = 65536
SIZES = (0, 1, 125, 126, 127, 65535, 65536)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says what it hears; what is binary, and what comes while that waits, it hears the usual way."""
    saying = asyncio.Queue[str]()

    async def say() -> None:
        while True:
            await send({"type": "websocket.send", "text": await saying.get()})

    task = asyncio.create_task(say())
    scope["extensions"][EXTENSION](saying.put_nowait)
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            saying.put_nowait(message.get("text") or f"{len(message['bytes'])} bytes")
    task.cancel()


class Line:
    """A client that decides how its bytes are cut."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chunk: int) -> None:
        self.reader, self.writer, self.chunk = reader, writer, chunk
        self.protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=None)
        self._heard: deque[Any] = deque()

    async def flush(self) -> None:
        await self.raw(b"".join(self.protocol.data_to_send()))

    async def raw(self, data: bytes) -> None:
        for at in range(0, len(data), self.chunk):
            self.writer.write(data[at : at + self.chunk])
            await self.writer.drain()
            if self.chunk < len(data):
                await asyncio.sleep(0)

    async def frame(self) -> Frame:
        """The next data frame. Raises ConnectionClosed."""
        while True:
            while self._heard:
                event = self._heard.popleft()
                if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.PONG):
                    return event
            data = await asyncio.wait_for(self.reader.read(MOST), 10)
            if not data:
                self.protocol.receive_eof()
                raise self.protocol.close_exc
            self.protocol.receive_data(data)
            self._heard.extend(self.protocol.events_received())

    async def hears(self) -> str:
        return bytes((await self.frame()).data).decode()

    async def close_code(self) -> int:
        with pytest.raises(ConnectionClosed) as closed:
            await self.frame()
        assert closed.value.rcvd
        return closed.value.rcvd.code


@asynccontextmanager
async def line(chunk: int = MOST) -> AsyncIterator[Line]:
    options: dict[str, Any] = {
        "ws_max_size": MOST,
        "ws_per_message_deflate": False,
        "ws_ping_interval": 0,
        "lifespan": "off",
    }
    server = Server(Config(echo, port=0, ws=Direct, log_level="critical", **options))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    found = Line(reader, writer, MOST)
    found.protocol.send_request(found.protocol.connect())
    await found.flush()
    while found.protocol.state.name == "CONNECTING":
        found.protocol.receive_data(await reader.read(MOST))
    found.chunk = chunk
    try:
        yield found
    finally:
        writer.close()
        server.should_exit = True
        await serving


@pytest.mark.parametrize("chunk", [1, 3, 1000, 10 * MOST])
async def test_however_it_is_cut_it_is_heard_in_order(chunk: int) -> None:
    sizes = [size for size in SIZES if size < 1000 * chunk]
    async with line(chunk) as client:
        for size in sizes:
            client.protocol.send_text(b"x" * size)
        client.protocol.send_text(b"one ", fin=False)
        client.protocol.send_ping(b"still there?")
        client.protocol.send_continuation("zwölf".encode(), fin=True)
        client.protocol.send_binary(b"123")
        client.protocol.send_text(b"last")
        await client.flush()
        heard = [await client.hears() for _ in range(len(sizes) + 4)]
        assert heard.count("still there?") == 1  # its answer may overtake
        assert heard.count("3 bytes") == 1  # goes the long way
        said = [text for text in heard if text not in ("still there?", "3 bytes")]
        assert said == [*("x" * size for size in sizes), "one zwölf", "last"]


async def test_what_is_said_to_many_may_be_long() -> None:
    async with line() as client:
        for text in ("é" * 62, "é" * 63, "é" * 20_000, "x" * 65535, "x" * 65536):
            client.protocol.send_text(text.encode())
            await client.flush()
            assert await client.hears() == text


def unmasked(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


MISTAKES = {
    "bytes that are no text": (masked(Opcode.TEXT, b"\xff\xfe"), 1007),
    "no mask": (unmasked(b"hello"), 1002),
    "a message inside another": (masked(Opcode.TEXT, b"one", fin=False) + masked(Opcode.TEXT, b"two"), 1002),
    "more than may be, seen from its head": (b"\x81\xff" + (MOST + 1).to_bytes(8, "big"), 1009),
    "a continuation of nothing": (masked(Opcode.CONT, b"two"), 1002),
    "an opcode that is none": (b"\x83\x80\x00\x00\x00\x00", 1002),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("chunk", [1, MOST])
async def test_mistakes_are_the_librarys_and_nothing_is_heard_after_them(mistake: str, chunk: int) -> None:
    data, code = MISTAKES[mistake]
    async with line(chunk) as client:
        client.protocol.send_text(b"before")
        await client.flush()
        assert await client.hears() == "before"
        told = asyncio.create_task(client.close_code())
        with suppress(ConnectionError):  # the server hangs up while more is said
            await client.raw(data + masked(Opcode.TEXT, b"after"))
        try:
            assert await told == code
        except ConnectionError:
            # Who still speaks byte by byte when the server has hung up is answered by a reset; a transport that meets
            # with it while writing gives up what lies there to be read, the code.
            assert chunk == 1


async def test_who_closes_is_answered() -> None:
    async with line() as client:
        client.protocol.send_close(1000)
        await client.flush()
        assert await client.close_code() == 1000
