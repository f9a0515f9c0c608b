"""The chunks of a streamed answer, in the form of Chat Completions
(platform.openai.com/docs/api-reference/chat-streaming): what is read of them. Providers may send more, and null for
what they do not send."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import httpx2 as httpx
import msgspec

from chatproject.lib.gulps import in_gulps
from chatproject.lib.lines import lines

DATA = "data:"
DONE = "[DONE]"
# How long the end of a connection is waited for once all is said, so that it can be used again.
DRAIN_SECONDS = 0.2


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    """A piece of a call of a tool; the pieces of one have the same index."""

    index: int
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: Sequence[Call] | None = None


class Choice(msgspec.Struct):
    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int


class Chunk(msgspec.Struct):
    choices: Sequence[Choice] | None = None
    usage: Usage | None = None
    # Whatever it is: an answer that failed on its way.
    error: Any = None


async def read(response: httpx.Response) -> AsyncIterator[Chunk]:
    """The chunks of a stream, one of each line of data (in this form an event has one, and no name). Raises ValueError
    for what is none, and for an error that the provider tells; httpx's TransportError."""
    found = lines(response.aiter_bytes())
    async for line in found:
        if not line.startswith(DATA):
            continue
        data = line[len(DATA) :].strip()
        if data == DONE:
            await _drain(found)
            return
        # Half of a pair (an emoji that was cut in two) is refused by msgspec's own decoder.
        chunk = msgspec.convert(json.loads(data), Chunk)
        if chunk.error:
            raise ValueError("the provider tells an error")
        yield chunk


async def _drain(found: AsyncIterator[str]) -> None:
    with suppress(TimeoutError, httpx.TransportError), in_gulps(lambda: 0):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in found:
                pass
