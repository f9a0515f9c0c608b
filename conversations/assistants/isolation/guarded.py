"""The turn as an assistant sees it through a call: everything that it does is a sign of life."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from uuid import UUID

from conversations.assistants.base import About, Step, Turn
from conversations.assistants.isolation.calls import Call
from conversations.context.result import Context


class Guarded:
    """Implements `base.Turn` by another one."""

    def __init__(self, turn: Turn, call: Call) -> None:
        self._turn, self._call = turn, call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turn, name)

    @property
    def usage(self) -> dict[str, Any] | None:
        return self._turn.usage

    @usage.setter
    def usage(self, usage: dict[str, Any] | None) -> None:
        self._turn.usage = usage

    @property
    def sources(self) -> list[dict[str, Any]] | None:
        return self._turn.sources

    @sources.setter
    def sources(self, sources: list[dict[str, Any]] | None) -> None:
        self._turn.sources = sources

    @property
    def hand_to(self) -> str:
        return self._turn.hand_to

    @hand_to.setter
    def hand_to(self, name: str) -> None:
        self._turn.hand_to = name

    def open_team(self, name: str) -> None:
        self._turn.open_team(name)

    @property
    def path(self) -> tuple[str, ...]:
        return self._turn.path

    async def context(self, also: str = "", assistant: str | None = None) -> Context:
        with self._call.waiting():
            return await self._turn.context(also, assistant)

    async def about(self) -> About:
        with self._call.waiting():
            return await self._turn.about()

    async def recall(self, query: str, limit: int, known: Collection[int] = ()) -> list[dict[str, Any]]:
        with self._call.waiting():
            return await self._turn.recall(query, limit, known)

    async def picture(self, file: UUID) -> str | None:
        return await self._turn.picture(file)

    async def emit(self, text: str) -> None:
        self._call.pulse(emitted=bool(text))
        await self._turn.emit(text)

    async def ask(self, kind: str, schema: dict[str, Any]) -> Any:
        with self._call.waiting():
            return await self._turn.ask(kind, schema)

    async def artefact(self, name: str, content_type: str, data: bytes) -> dict[str, Any]:
        with self._call.waiting():
            return await self._turn.artefact(name, content_type, data)

    async def hand_over(self, reason: str = "") -> NoReturn:
        await self._turn.hand_over(reason)

    async def asker(self) -> UUID | None:
        return await self._turn.asker()

    async def place(self) -> str:
        return await self._turn.place()

    def before(self, kind: str, name: str) -> Any:
        return self._turn.before(kind, name)

    async def degraded(self, plugin: str, reason: str) -> None:
        await self._turn.degraded(plugin, reason)

    @asynccontextmanager
    async def step(self, kind: str, name: str, input: Any = None, parent: str | None = None) -> AsyncIterator[Step]:
        self._call.pulse()
        async with self._turn.step(kind, name, input, parent) as step:
            yield step
        self._call.pulse()
