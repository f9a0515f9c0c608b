"""The process of a plugin: it has no settings, no database, no keys, and speaks with its parent in lines of JSON.

Runs as a script, with nothing of Django. What the plugin prints goes nowhere.
"""

import asyncio
import importlib
import json
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, TextIO

MB = 1024 * 1024
# What a plugin without processes of its own must not do (sys.audit).
STARTING = (
    "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "os.system", "os.startfile", "subprocess.Popen",
    "pty.spawn",
)  # fmt: skip


class Turn:
    """The turn as a plugin sees it (conversations.assistants.base.Turn), without pictures and recall."""

    def __init__(self, lines: list[dict[str, Any]], told: TextIO, heard: TextIO) -> None:
        self.usage: Any = None
        self.sources: Any = None
        self._lines, self._told, self._heard = lines, told, heard

    async def context(self, also: str = "") -> SimpleNamespace:
        return SimpleNamespace(lines=[SimpleNamespace(**line) for line in self._lines], pictures=[])

    async def emit(self, text: str) -> None:
        await self._say({"emit": text})

    async def ask(self, kind: str, schema: dict[str, Any]) -> Any:
        return await self._say({"ask": kind, "schema": schema})

    async def artefact(self, name: str, content_type: str, data: bytes) -> Any:
        return await self._say({"artefact": name, "type": content_type, "data": data.hex()})

    @asynccontextmanager
    async def step(self, kind: str, name: str, input: Any = None) -> AsyncIterator[SimpleNamespace]:
        begun = await self._say({"step": kind, "name": name, "input": input})
        step = SimpleNamespace(output=begun["output"], sources=begun["sources"], done=begun["done"])
        try:
            yield step
        except BaseException:
            await self._say({"step_end": True, "failed": True})
            raise
        await self._say({"step_end": True, "output": step.output, "sources": step.sources})

    def degraded(self, plugin: str, reason: str) -> None:
        """Nobody is told: a plugin speaks for itself alone."""

    def before(self, kind: str, name: str) -> None:
        """Nothing: what it did before comes with its steps."""

    async def _say(self, message: dict[str, Any]) -> Any:
        """Every message is answered, so that a plugin never gets ahead of what is stored."""
        self._told.write(json.dumps(message, default=str) + "\n")
        self._told.flush()
        line = await asyncio.to_thread(self._heard.readline)
        if not line:
            os._exit(1)
        return json.loads(line)["value"]


def main() -> None:
    told = os.fdopen(os.dup(1), "w")
    heard = os.fdopen(os.dup(0), "r")
    _silence()
    given = json.loads(heard.readline())
    sys.path[:0] = given["paths"]
    _bound(given["terms"])
    ended = asyncio.run(_answer(given, told, heard))
    told.write(json.dumps(ended, default=str) + "\n")
    told.flush()
    os._exit(0)


async def _answer(given: dict[str, Any], told: TextIO, heard: TextIO) -> dict[str, Any]:
    """Runs the plugin; how it ended."""
    turn = Turn(given["lines"], told, heard)
    try:
        module, _, name = given["path"].rpartition(".")
        plugin = getattr(importlib.import_module(module), name)(**given["options"])
        if given["check"]:
            return {"end": True, "answers": callable(getattr(plugin, "answer", None))}
        await plugin.answer(turn)
    except Exception as error:
        said = {name: getattr(error, name, None) for name in ("code", "message")}
        return {"end": True, **said, "error": type(error).__name__}
    return {"end": True, "usage": turn.usage, "sources": turn.sources}


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)


def _bound(terms: dict[str, int]) -> None:
    """Limits that cannot be raised again, and no other processes where none are allowed."""
    bounds = {
        resource.RLIMIT_CPU: terms["cpu_seconds"],
        resource.RLIMIT_AS: terms["memory_mb"] * MB,
        resource.RLIMIT_FSIZE: terms["file_mb"] * MB,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 64,
    }
    for what, most in bounds.items():
        resource.setrlimit(what, (most, most))
    if terms["processes"]:
        # Counts all processes of the user, which threads are, too.
        resource.setrlimit(resource.RLIMIT_NPROC, (terms["processes"], terms["processes"]))
    else:
        sys.addaudithook(_refuse)


def _refuse(event: str, arguments: object) -> None:
    if event in STARTING or event.startswith("ctypes."):
        raise PermissionError(f"{event} is not allowed here")


if __name__ == "__main__":
    main()
