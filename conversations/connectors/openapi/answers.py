"""What a plugin answers: JSON with a text in it, a stream of events with pieces of one, or plain text."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx

from chatproject.lib.lines import lines
from conversations.assistants.base import AssistantError

# Where plugins put their answer, the likeliest first; the ways into what OpenAI's shapes have.
NAMES = ("response", "answer", "text", "message", "output", "content", "reply", "result", "delta", "data")
WAYS = (("choices", 0, "delta", "content"), ("choices", 0, "message", "content"), ("choices", 0, "text"))
# How a stream says that it is over.
DONE = "[DONE]"


async def pieces(response: httpx.Response, way: str = "") -> AsyncIterator[str]:
    """The pieces of an answer. `way` says where the text stands, as `data.answer`. Raises AssistantError
    `connector_answer`."""
    type_ = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if type_ == "text/event-stream":
        async for data in _events(response):
            yield _piece(data, way)
        return
    await response.aread()
    if type_ == "application/json" or type_.endswith("+json"):
        yield _text(_decoded(response.text), way)
    elif type_.startswith("text/"):
        yield response.text
    else:
        raise wrong(f"The plugin answered with {type_ or 'something without a type'}.")


def wrong(what: str) -> AssistantError:
    return AssistantError("connector_answer", what)


async def _events(response: httpx.Response) -> AsyncIterator[str]:
    """The data of each event; until the stream says that it is over, or ends."""
    data: list[str] = []
    name = ""
    async for line in lines(response.aiter_bytes()):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif not line and data:
            whole = "\n".join(data)
            if whole.strip() == DONE:
                return
            if name == "error":
                raise wrong("The plugin broke off its answer.")
            yield whole
            data, name = [], ""
    if data and "\n".join(data).strip() != DONE:
        yield "\n".join(data)


def _piece(data: str, way: str) -> str:
    """The text of an event; of one that has none, nothing."""
    try:
        value = json.loads(data)
    except ValueError:
        return data
    if isinstance(value, dict) and value.get("error"):
        raise wrong("The plugin broke off its answer.")
    return _found(value, way) or ""


def _text(value: Any, way: str) -> str:
    found = _found(value, way)
    if found is None:
        raise wrong("There is no text in the plugin's answer where we look for one.")
    return found


def _found(value: Any, way: str) -> str | None:
    if isinstance(value, str):
        return value
    if way:
        steps: list[Any] = [int(one) if one.isdigit() else one for one in way.split(".")]
        return _at(value, steps)
    for steps_to in WAYS:
        found = _at(value, list(steps_to))
        if found is not None:
            return found
    inner = [value[name] for name in NAMES if name in value] if isinstance(value, dict) else []
    return next((found for one in inner if (found := _found(one, "")) is not None), None)


def _at(value: Any, steps: list[Any]) -> str | None:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value if isinstance(value, str) else None


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise wrong("The plugin's answer is no JSON, although it says so.") from error
