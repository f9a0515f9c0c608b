"""Runs a plugin in a process of its own: starts it, does what it asks for, and ends it with all that it began."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from django.conf import settings

from chatproject.lib.ids import new_id
from conversations.assistants.base import AssistantError, Turn
from conversations.connectors.sandbox.service import LINE_MAX_BYTES, Service, hear, tell

CHILD = Path(__file__).with_name("child.py")
# By this variable what a plugin started is found.
MARK = "PLUGIN_PROCESS"
# All that a plugin has of our environment.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
Json = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """What a process may take; `processes` 0: it may start none."""

    cpu_seconds: int = 60
    memory_mb: int = 512
    file_mb: int = 10
    processes: int = 0


class Sandboxed:
    """An assistant whose code runs elsewhere. Implements `base.Assistant`."""

    def __init__(self, path: str, options: Json, terms: Terms) -> None:
        self.path, self.options, self.terms = path, options, terms

    async def answer(self, turn: Turn) -> None:
        """Raises AssistantError; what the plugin does wrong in any other way is `plugin_failed`."""
        lines = [{"role": line.role, "text": line.text} for line in (await turn.context()).lines]
        async with self._started(lines) as child:
            await Service(child, turn).serve()

    async def check(self) -> str:
        """Whether it can be made there. Raises AssistantError."""
        async with self._started([], check=True) as child:
            end = await hear(child)
        if not end.get("answers"):
            raise AssistantError("plugin_failed", f"It cannot be made ({end.get('error', 'it has no `answer`')}).")
        return "It can be made, in a process of its own."

    @asynccontextmanager
    async def _started(self, lines: list[Json], *, check: bool = False) -> AsyncIterator[asyncio.subprocess.Process]:
        with TemporaryDirectory(prefix="plugin-", ignore_cleanup_errors=True) as folder:
            mark = new_id().hex
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-I", str(CHILD),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env={**_environment(folder), MARK: mark}, cwd=folder, limit=LINE_MAX_BYTES, start_new_session=True,
            )  # fmt: skip
            try:
                given = {"path": self.path, "options": self.options, "terms": asdict(self.terms), "lines": lines}
                await tell(child, {**given, "paths": _paths(), "check": check})
                yield child
            finally:
                _kill(child)
                if self.terms.processes:
                    await asyncio.shield(asyncio.to_thread(_kill_marked, mark))
                await asyncio.shield(child.wait())


def _environment(folder: str) -> dict[str, str]:
    """Nothing of ours: no addresses, no keys."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**kept, "HOME": folder, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"}


def _paths() -> list[str]:
    """Where a plugin's modules are: ours, and those of packages."""
    return [str(settings.BASE_DIR), *(path for path in sys.path if "site-packages" in path)]


def _kill(child: asyncio.subprocess.Process) -> None:
    """End it and its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _kill_marked(mark: str) -> None:
    """End whatever it started that left its group, and outlived it."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                process.kill()
