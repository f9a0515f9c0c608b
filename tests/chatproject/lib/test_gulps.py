"""A stream of tokens, read one by one and in gulps."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext

import httpx2 as httpx
import pytest
import pytest_asyncio

from chatproject.lib.gulps import Transport, in_gulps

TOKENS, APART = 30, 0.02
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    """A server that says TOKENS, one every APART seconds."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        for number in range(TOKENS):
            await asyncio.sleep(APART)
            writer.write(b"3\r\n%02d \r\n" % number)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(("seconds", "least", "most"), [(None, 8, TOKENS), (0.2, 2, 6)])
async def test_all_of_it_in_so_many_looks(url: str, seconds: float | None, least: int, most: int) -> None:
    text, looks, last = b"", 0, 0.0
    async with httpx.AsyncClient(transport=Transport()) as client, client.stream("GET", url) as response:
        with in_gulps(lambda: seconds or 0) if seconds else nullcontext():
            async for piece in response.aiter_bytes():
                text += piece
                looks += time.monotonic() - last > APART / 4
                last = time.monotonic()
    assert text == b"".join(b"%02d " % number for number in range(TOKENS))
    assert least <= looks <= most


async def test_who_waits_is_cancelled(url: str) -> None:
    async with httpx.AsyncClient(transport=Transport()) as client, client.stream("GET", url) as response:
        with pytest.raises(TimeoutError), in_gulps(lambda: 60):
            async with asyncio.timeout(0.2):
                await response.aread()
