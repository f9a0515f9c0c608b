"""What the parent does for a plugin: it hears a line, does what it asks for with the turn, and answers."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from conversations.assistants.base import AssistantError, Step, Turn

# Bytes of one line from a plugin, and lines in all.
LINE_MAX_BYTES = 1024 * 1024
LINES_MAX = 100_000
Json = dict[str, Any]


class Service:
    """One turn of one plugin. Its steps may stand in one another."""

    def __init__(self, child: asyncio.subprocess.Process, turn: Turn) -> None:
        self._child, self._turn = child, turn
        self._steps: list[tuple[AbstractAsyncContextManager[Step], Step]] = []

    async def serve(self) -> None:
        """Do what the plugin asks for until it ends. Raises AssistantError, and what the turn raises."""
        try:
            for _ in range(LINES_MAX):
                said = await hear(self._child)
                if "end" in said:
                    return self._ended(said)
                await tell(self._child, {"value": await self._done(said)})
            raise nonsense("The plugin said too much.")
        except BaseException as error:
            await self._abort(error)
            raise

    async def _done(self, said: Json) -> Any:
        if "emit" in said:
            return await self._turn.emit(_text(said["emit"]))
        if "ask" in said:
            return await self._turn.ask(_text(said["ask"]), _object(said.get("schema")))
        if "artefact" in said:
            content = bytes.fromhex(_text(said.get("data")))
            return await self._turn.artefact(_text(said["artefact"]), _text(said.get("type")), content)
        if "step" in said:
            return await self._begin(_text(said["step"]), _text(said.get("name")), said.get("input"))
        if "step_end" in said and self._steps:
            return await self._end(said)
        raise nonsense()

    async def _begin(self, kind: str, name: str, input: Any) -> Json:
        if kind not in ("thought", "tool", "retrieval", "plugin"):
            raise nonsense()
        block = self._turn.step(kind, name[:100], input)
        step = await block.__aenter__()
        self._steps.append((block, step))
        return {"output": step.output, "sources": step.sources, "done": step.done}

    async def _end(self, said: Json) -> None:
        block, step = self._steps.pop()
        if said.get("failed"):
            return await _fail(block, nonsense())
        step.output = said.get("output")
        step.sources = said["sources"] if isinstance(said.get("sources"), list) else []
        await block.__aexit__(None, None, None)
        return None

    async def _abort(self, error: BaseException) -> None:
        while self._steps:
            await _fail(self._steps.pop()[0], error)

    def _ended(self, said: Json) -> None:
        """Raises AssistantError where it failed: as it says, if it says so itself."""
        if "error" in said:
            if isinstance(said.get("code"), str) and isinstance(said.get("message"), str):
                raise AssistantError(said["code"][:64], said["message"][:2000])
            raise nonsense("The plugin failed.")
        self._turn.usage = said["usage"] if isinstance(said.get("usage"), dict) else None
        self._turn.sources = said["sources"] if isinstance(said.get("sources"), list) else None


async def hear(child: asyncio.subprocess.Process) -> Json:
    """The next line. Raises AssistantError where it is none, or the plugin is gone."""
    assert child.stdout
    try:
        line = await child.stdout.readline()
    except ValueError as error:
        raise nonsense("The plugin said too much.") from error
    if not line:
        raise nonsense("The plugin ended without an answer.")
    try:
        return _object(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise nonsense() from error


async def tell(child: asyncio.subprocess.Process, message: Json) -> None:
    """One line to the plugin. Raises AssistantError where it is gone."""
    assert child.stdin
    try:
        child.stdin.write(json.dumps(message, default=str).encode() + b"\n")
        await child.stdin.drain()
    except ConnectionError as error:
        raise nonsense("The plugin ended without an answer.") from error


def nonsense(what: str = "The plugin said what cannot be understood.") -> AssistantError:
    return AssistantError("plugin_failed", what)


async def _fail(block: AbstractAsyncContextManager[Step], error: BaseException) -> None:
    """End a step as failed; what that raises is the error itself, or that the run is not ours any more."""
    with suppress(Exception, asyncio.CancelledError, type(error)):
        await block.__aexit__(type(error), error, error.__traceback__)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise nonsense()
    return value


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise nonsense()
    return value
