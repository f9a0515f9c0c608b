"""Turns that are part of another turn: for the assistants that another assistant asks."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings

from conversations.assistants.base import About, AssistantError, Step, Turn
from conversations.context import terms
from conversations.context.result import Context, Line

Json = dict[str, Any]
# Assistants that ask assistants that ask assistants …
DEPTH = 6


class Through:
    """The same turn, taken by `name`: it is sent what that assistant is sent, and whatever it does is shown as done
    in the turn itself. With `lines` (role, text) it is sent these, in place of the conversation.

    Raises AssistantError where `name` takes this turn already: those who ask each other in a circle never answer.
    """

    def __init__(self, turn: Turn, name: str, lines: Sequence[tuple[str, str]] = (), step: str | None = None) -> None:
        self.path = (*turn.path, name)
        if name in turn.path or len(self.path) > DEPTH:
            raise AssistantError("assistant_cycle", f"These assistants ask each other: {', '.join(self.path)}.")
        self.name = name
        self.turn = turn
        self._lines = lines
        self._step = step
        # What it was sent last, and what it said.
        self.sent: Context | None = None
        self.emitted: list[str] = []

    @property
    def usage(self) -> Json | None:
        return self.turn.usage

    @usage.setter
    def usage(self, value: Json | None) -> None:
        self.turn.usage = value

    @property
    def sources(self) -> list[Json] | None:
        return self.turn.sources

    @sources.setter
    def sources(self, value: list[Json] | None) -> None:
        self.turn.sources = value

    @property
    def hand_to(self) -> str:
        return self.turn.hand_to

    @hand_to.setter
    def hand_to(self, value: str) -> None:
        self.turn.hand_to = value

    def open_team(self, name: str) -> None:
        self.turn.open_team(name)

    async def context(self, also: str = "", assistant: str | None = None) -> Context:
        if self._lines:
            wanted = terms.for_assistant(assistant or self.name)
            self.sent = Context(wanted, [Line(role, text, 0) for role, text in self._lines], 0)
        else:
            self.sent = await self.turn.context(also, assistant or self.name)
        return self.sent

    async def about(self) -> About:
        return await self.turn.about()

    async def recall(self, query: str, limit: int, known: Collection[int] = ()) -> list[Json]:
        return [] if self._lines else await self.turn.recall(query, limit, known)

    async def picture(self, file: UUID) -> str | None:
        return await self.turn.picture(file)

    async def emit(self, text: str) -> None:
        self.emitted.append(text)
        await self.turn.emit(text)

    async def artefact(self, name: str, content_type: str, data: bytes) -> Json:
        return await self.turn.artefact(name, content_type, data)

    async def asker(self) -> UUID | None:
        return await self.turn.asker()

    async def place(self) -> str:
        return await self.turn.place()

    def before(self, kind: str, name: str) -> Any:
        return self.turn.before(kind, name)

    async def ask(self, kind: str, schema: Json) -> Any:
        return await self.turn.ask(kind, schema)

    async def hand_over(self, reason: str = "") -> NoReturn:
        await self.turn.hand_over(reason)

    async def degraded(self, plugin: str, reason: str) -> None:
        await self.turn.degraded(plugin, reason)

    @asynccontextmanager
    async def step(self, kind: str, name: str, input: Any = None, parent: str | None = None) -> AsyncIterator[Step]:
        async with self.turn.step(kind, name, input, parent or self._step) as step:
            yield step


class Aside(Through):
    """A turn whose text is gathered, for whoever asks to do something with it; its usage and sources are its own.

    Its steps are shown below the step `step` of the turn around it. It cannot ask a person: of several that are asked
    at once, nobody could say which goes on.
    """

    def __init__(self, turn: Turn, name: str, lines: Sequence[tuple[str, str]] = (), step: str | None = None) -> None:
        super().__init__(turn, name, lines, step)
        self.text = ""
        self._usage: Json | None = None
        self._sources: list[Json] | None = None
        self._hand_to = ""

    @property
    def hand_to(self) -> str:
        return self._hand_to

    @hand_to.setter
    def hand_to(self, value: str) -> None:
        self._hand_to = value

    def open_team(self, name: str) -> None:
        """Raises AssistantError."""
        raise no_team()

    @property
    def usage(self) -> Json | None:
        return self._usage

    @usage.setter
    def usage(self, value: Json | None) -> None:
        self._usage = value

    @property
    def sources(self) -> list[Json] | None:
        return self._sources

    @sources.setter
    def sources(self, value: list[Json] | None) -> None:
        self._sources = value

    async def emit(self, text: str) -> None:
        """Raises AssistantError where it gets too long."""
        self.text += text
        self.emitted.append(text)
        if len(self.text) > settings.ANSWER_MAX_LENGTH:
            raise AssistantError("too_large", "The answer is too long.")

    def before(self, kind: str, name: str) -> None:
        """Nothing: it never waits."""

    async def ask(self, kind: str, schema: Json) -> Any:
        """Raises AssistantError."""
        raise AssistantError("nobody_to_ask", "An assistant that is asked by another one cannot ask a person.")

    async def hand_over(self, reason: str = "") -> NoReturn:
        """Raises AssistantError."""
        raise AssistantError("nobody_to_ask", "An assistant that is asked by another one cannot hand over to a person.")


class Nowhere:
    """The turn around asides that belong to no conversation: trying something out."""

    usage: Json | None = None
    sources: list[Json] | None = None
    path: tuple[str, ...] = ()
    hand_to = ""

    def __init__(self, about: About) -> None:
        self._about = about

    async def context(self, also: str = "", assistant: str | None = None) -> Context:
        return Context(terms.for_assistant(assistant), [Line("user", self._about.text, 0)], 0)

    async def about(self) -> About:
        return self._about

    async def recall(self, query: str, limit: int, known: Collection[int] = ()) -> list[Json]:
        return []

    async def picture(self, file: UUID) -> str | None:
        return None

    async def emit(self, text: str) -> None:
        """Nobody hears it."""

    async def artefact(self, name: str, content_type: str, data: bytes) -> Json:
        raise AssistantError("nobody_to_ask", "There is no conversation for a file here.")

    async def asker(self) -> UUID | None:
        return None

    async def place(self) -> str:
        return ""

    def before(self, kind: str, name: str) -> None:
        """Nothing: it never waits."""

    async def ask(self, kind: str, schema: Json) -> Any:
        raise AssistantError("nobody_to_ask", "There is nobody to ask here.")

    def open_team(self, name: str) -> None:
        raise no_team()

    async def hand_over(self, reason: str = "") -> NoReturn:
        raise AssistantError("nobody_to_ask", "There is nobody to hand over to here.")

    async def degraded(self, plugin: str, reason: str) -> None:
        """There is no room."""

    @asynccontextmanager
    async def step(self, kind: str, name: str, input: Any = None, parent: str | None = None) -> AsyncIterator[Step]:
        yield Unseen()


class Unseen:
    """A step that nobody sees."""

    id = ""
    output: Any = None
    done = False

    def __init__(self) -> None:
        self.sources: list[Json] = []


def no_team() -> AssistantError:
    return AssistantError("team_not_here", "A team speaks in turns of its own, not inside another one's.")
