"""One streamed call of Chat Completions through the official SDK: what it gives, and how it can fail.

The SDK's connection and errors, not its models and its reader of streams: to walk a request by those, and to make one
of each token, was two thirds of what a call took.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import openai
from openai import AsyncOpenAI, AsyncStream

from chatproject.lib.gulps import in_gulps
from conversations.assistants import rhythm
from conversations.assistants.base import AssistantError, Throttled, Tool, Transient, Turn
from conversations.assistants.builtin import chunks
from conversations.assistants.builtin.chunks import Call, Choice, Chunk, Usage
from conversations.assistants.builtin.toolcalls import Said, Wanted, described
from conversations.assistants.isolation.patience import patiently, retry_after

Json = dict[str, Any]
PATH = "/chat/completions"


@dataclass
class Begun:
    """A stream that has begun to say something: the chunks so far, and where the rest comes from."""

    stream: AsyncStream[object]
    rest: AsyncIterator[Chunk]
    head: list[Chunk]

    async def chunks(self) -> AsyncIterator[Chunk]:
        for chunk in self.head:
            yield chunk
        async for chunk in self.rest:
            yield chunk


async def ask(client: AsyncOpenAI, turn: Turn, model: str, messages: Sequence[Json], offered: Sequence[Tool]) -> Said:
    """Send messages, emit what the model says, give it with the calls that it wants. Cancelling closes the connection.

    Repeated only before the first token (isolation/patience.py). Raises AssistantError.
    """
    request: Json = {"model": model, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    if offered:
        request["tools"] = [described(tool) for tool in offered]
    begun = await patiently(lambda: _begin(client, request))
    with in_gulps(rhythm.seconds):
        return await _heard(turn, begun)


async def _heard(turn: Turn, begun: Begun) -> Said:
    """Emit what a stream says. Raises AssistantError where it does not come to its end."""
    said, finished = Said(), False
    async with begun.stream:
        async for chunk in begun.chunks():
            if chunk.usage:
                said.usage = _usage(chunk.usage)
            for choice in chunk.choices or ():
                said.text += choice.delta.content or ""
                await turn.emit(choice.delta.content or "")
                _gather(said.calls, choice.delta.tool_calls or ())
                finished = finished or choice.finish_reason is not None
    if not finished:
        raise _broke_off()
    return said


async def _begin(client: AsyncOpenAI, request: Json) -> Begun:
    """Open a stream and wait for its first token. Raises Transient and Throttled, which may be tried again, and
    AssistantError."""
    stream = await _opened(client, request)
    begun = Begun(stream, _chunks(stream), [])
    try:
        async for chunk in begun.rest:
            begun.head.append(chunk)
            if any(_says_something(choice) for choice in chunk.choices or ()):
                return begun
    except BaseException as error:
        await stream.close()
        if isinstance(error, AssistantError) and error.code == "provider_error":
            raise Transient(error.code, error.message) from error
        raise
    return begun


async def _opened(client: AsyncOpenAI, request: Json) -> AsyncStream[object]:
    try:
        stream = await client.post(PATH, cast_to=object, body=request, stream=True, stream_cls=AsyncStream[object])
    except openai.APITimeoutError as error:
        raise _too_late(error) from error
    except openai.APIConnectionError as error:
        raise Transient("provider_unreachable", "The model cannot be reached.") from error
    except openai.APIStatusError as error:
        raise _refusal(error) from error
    except openai.APIError as error:
        raise _broke_off() from error
    return stream


def _says_something(choice: Choice) -> bool:
    return bool(choice.delta.content or choice.delta.tool_calls or choice.finish_reason)


async def _chunks(stream: AsyncStream[object]) -> AsyncIterator[Chunk]:
    """The chunks of a stream: what cannot be read, or not to its end, was broken off."""
    try:
        async for found in chunks.read(stream.response):
            yield found
    except httpx.TimeoutException as error:
        raise AssistantError("provider_timeout", "The model did not answer in time.") from error
    except (httpx.TransportError, ValueError) as error:
        raise _broke_off() from error


def _gather(calls: list[Wanted], pieces: Sequence[Call]) -> None:
    """Put the pieces of calls to what is there of them."""
    for piece in pieces:
        while len(calls) <= piece.index:
            calls.append(Wanted())
        call = calls[piece.index]
        call.id = piece.id or call.id
        if piece.function:
            call.name += piece.function.name or ""
            call.arguments += piece.function.arguments or ""


def _usage(found: Usage) -> dict[str, int]:
    return {"input_tokens": found.prompt_tokens, "output_tokens": found.completion_tokens}


def _too_late(error: openai.APITimeoutError) -> AssistantError:
    """Whether there was a connection decides: what was sent may be worked at, and costs."""
    if isinstance(error.__cause__, httpx.ConnectTimeout):
        return Transient("provider_unreachable", "The model cannot be reached.")
    return AssistantError("provider_timeout", "The model did not answer in time.")


def _broke_off() -> AssistantError:
    return AssistantError("provider_error", "The model broke off its answer.")


def _refusal(error: openai.APIStatusError) -> AssistantError:
    status = error.status_code
    if status in (401, 403):
        return AssistantError("provider_refused", "The model's provider refused our key.")
    if status == 429:
        wait = retry_after(error.response.headers.get("retry-after"))
        return Throttled("provider_busy", "The model's provider has too much to do; try again later.", wait)
    if status >= 500:
        return Transient("provider_error", "The model's provider has an error.")
    return AssistantError("provider_rejected", f"The model's provider rejected the request (status {status}).")
