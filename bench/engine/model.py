"""A model for measurements, as a process of its own: OpenAI's Chat Completions, as fast and as even as Python can.

`python -m bench.engine.model PORT`. The last user message says what comes:

    stream COUNT MS FIRST   COUNT tokens, MS milliseconds apart, the first one after FIRST; each with the microsecond
                            (the machine's monotonic clock) at which it went
    limited COUNT MS FIRST  the same, PER_SECOND calls a second at most; those beyond get 429 and Retry-After
    hang                    nothing, ever
"""

import asyncio
import json
import sys
import time
from collections import deque
from contextlib import suppress

import uvloop

from bench.engine.tally import microseconds
from bench.engine.words import word

PER_SECOND = 15
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
LAST = (
    CHUNK + b'"finish_reason":"stop","delta":{}}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20}}\n\ndata: [DONE]\n\n'
)

_begun: deque[float] = deque()


async def main(port: int) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        name, *numbers = (await _asked(reader)).split()
        if name == "hang":
            await reader.read()
        elif name == "limited" and not _admitted():
            writer.write(_refusal())
        else:
            await _stream(writer, *map(int, numbers))
        await writer.drain()
    writer.close()


async def _asked(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    body = json.loads(await reader.readexactly(length))
    return str(body["messages"][-1]["content"])


async def _stream(writer: asyncio.StreamWriter, count: int, apart: int, first: int) -> None:
    """On time, however long the writing takes."""
    loop = asyncio.get_running_loop()
    writer.write(HEAD)
    due = loop.time() + first / 1000
    for _ in range(count):
        await asyncio.sleep(due - loop.time())
        token = b'"finish_reason":null,"delta":{"content":"%s "}}]}\n\n' % word(microseconds()).encode()
        _write(writer, CHUNK + token)
        due += apart / 1000
    _write(writer, LAST)
    writer.write(b"0\r\n\r\n")


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def _admitted() -> bool:
    now = time.monotonic()
    while _begun and _begun[0] < now - 1:
        _begun.popleft()
    if len(_begun) >= PER_SECOND:
        return False
    _begun.append(now)
    return True


def _refusal() -> bytes:
    body = b'{"error":{"message":"slow down","type":"rate_limit","code":null}}'
    head = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: application/json\r\n"
    return head + b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
