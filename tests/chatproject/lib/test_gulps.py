"""A stream of tokens, read one by one and in gulps, without TLS and with it."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
import pytest_asyncio

from chatproject.lib.gulps import in_gulps, read_in_gulps
from tests.tls import Authority

TOKENS, APART = 30, 0.02
TEXT = b"".join(b"%02d " % number for number in range(TOKENS))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Server:
    """Says TOKENS, one every APART seconds, each in a record of its own."""

    url: str
    trusted: ssl.SSLContext | None

    def client(self) -> httpx.AsyncClient:
        return read_in_gulps(httpx.AsyncClient(verify=self.trusted or True))


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD)
    for number in range(TOKENS):
        await asyncio.sleep(APART)
        writer.write(b"3\r\n%02d \r\n" % number)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest_asyncio.fixture(params=["http", "https"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    authority = Authority(tmp_path) if request.param == "https" else None
    tls = authority.server("localhost") if authority else None
    async with await asyncio.start_server(answer, "localhost", 0, ssl=tls) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield Server(f"{request.param}://localhost:{port}/", authority.trusted if authority else None)


@pytest.mark.parametrize(("seconds", "least", "most"), [(None, 8, TOKENS), (0.2, 2, 6)])
async def test_all_of_it_in_so_many_looks(server: Server, seconds: float | None, least: int, most: int) -> None:
    text, looks, last = b"", 0, 0.0
    begun = time.monotonic()
    async with server.client() as client, client.stream("GET", server.url) as response:
        with in_gulps(lambda: seconds or 0) if seconds else nullcontext():
            async for piece in response.aiter_bytes():
                text += piece
                looks += time.monotonic() - last > APART / 4
                last = time.monotonic()
    assert text == TEXT
    assert least <= looks <= most
    assert time.monotonic() - begun < 3 * TOKENS * APART, "nothing piles up"


async def test_who_waits_is_cancelled(server: Server) -> None:
    async with server.client() as client, client.stream("GET", server.url) as response:
        with pytest.raises(TimeoutError), in_gulps(lambda: 60):
            async with asyncio.timeout(0.2):
                await response.aread()


def test_the_environments_proxies_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    client = read_in_gulps(httpx.AsyncClient())
    through = client._transport_for_url(httpx.URL("https://model.example/"))
    assert through is not client._transport
