"""A turn in progress: gathers what an assistant emits and stores it in small groups."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import questions, selectors
from conversations.assistants import chunks, degrading, recalling, rhythm
from conversations.assistants.base import About, AssistantError
from conversations.assistants.composing import members
from conversations.assistants.lengths import bounded, fitting, size_as_json, whole
from conversations.assistants.persistence import persistently
from conversations.assistants.replay import Replay
from conversations.context import building, reports, terms
from conversations.context.result import Context
from conversations.files import pictures
from conversations.models import Run
from conversations.privacy import Screen
from conversations.services import artefacts, contexts, madefiles, runs, teaming
from conversations.services.teaming import Following
from conversations.usage.tokens import added, cleaned


@dataclass
class RunningStep:
    """What an assistant fills in while the step's block runs."""

    output: Any = None
    sources: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False
    id: str = ""


class Asked(BaseException):
    """The turn waits for a person: unwinds the assistant, which must not take it for a failure."""


class HandedOver(BaseException):
    """The answer ends, and a person goes on: unwinds the assistant."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RunningTurn:
    """Implements `base.Turn` for a claimed run."""

    def __init__(self, claim: runs.Claim, replay: Replay | None = None) -> None:
        self.claim = claim
        self._replay = replay or Replay()
        self.hand_to = ""
        self.following: Following | None = None
        self._opened: dict[str, Any] | None = None
        self.usage: dict[str, Any] | None = None
        self.sources: list[dict[str, Any]] | None = None
        self.parts = list(self._replay.parts)
        self._text = [self._replay.text]
        self._screen = Screen()
        self._length, self._bytes = len(self._replay.text), size_as_json(self._replay.text)
        self._emitted = 0
        self._half = ""
        self._waiting: list[str] = []
        # When the next piece may go (of time.monotonic).
        self._due = 0.0
        self._stored = len(self._replay.text)
        self._flusher: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        """Everything emitted so far, as it came; what is stored of it went through the screen."""
        return "".join(self._text)

    @property
    def team(self) -> dict[str, Any] | None:
        """Of which team it is a turn."""
        return self._opened or self.claim.team

    def open_team(self, name: str) -> None:
        """Raises AssistantError where it is a member's turn in a team already."""
        team = self.claim.team
        if team and team["turn"]:
            raise AssistantError("team_in_team", "A team cannot be a member of another one.")
        self._opened = team or teaming.opened(name, self.claim.run, self.claim.queued_seq, 0, self.claim.asked_by)

    def say_at_last(self, text: str) -> None:
        """Say something after the assistant did, where that said nothing; it comes with `run:end`."""
        if not self.text:
            self._text.append(text)

    @property
    def path(self) -> tuple[str, ...]:
        return (self.claim.assistant,)

    @property
    def spent(self) -> dict[str, Any] | None:
        """The usage of the whole run, with what was noted before it waited for a person; None where the assistant
        has said nothing of it since."""
        return added(self._replay.usage, cleaned(self.usage)) if self.usage and self._replay.usage else self.usage

    async def context(self, also: str = "", assistant: str | None = None) -> Context:
        """Raises AssistantError where the question was deleted, Problem when fenced off."""
        return await in_thread(_context, self.claim, also, assistant or self.claim.assistant)

    async def about(self) -> About:
        """Raises AssistantError where the question was deleted."""
        return await in_thread(_about, self.claim)

    async def recall(self, query: str, limit: int, known: Collection[int] = ()) -> list[dict[str, Any]]:
        async with self.step("retrieval", "recall", {"query": query[: settings.SEARCH_QUERY_MAX_LENGTH]}) as step:
            step.sources = await in_thread(
                recalling.earlier, self.claim.conversation, self.claim.reply_to, query, limit, known
            )
        return step.sources

    async def picture(self, file: UUID) -> str | None:
        return await in_thread(pictures.data_url, file)

    async def emit(self, text: str) -> None:
        """Add to the answer. Raises AssistantError where it gets too long (ANSWER_MAX_LENGTH, ANSWER_MAX_BYTES), and
        Problem when fenced off."""
        text, self._half = whole(self._half + text)
        text = self._unheard(text)
        taken = fitting(text[: settings.ANSWER_MAX_LENGTH - self._length], settings.ANSWER_MAX_BYTES - self._bytes)
        if taken:
            self._text.append(taken)
            self._waiting.append(taken)
            self._length += len(taken)
            self._bytes += size_as_json(taken)
            await self._ensure_flusher()
        if len(text) > len(taken):
            raise AssistantError("too_large", "The answer is too long; what came first is kept.")

    async def artefact(self, name: str, content_type: str, data: bytes) -> dict[str, Any]:
        """Raises AssistantError for what cannot be stored, Problem when fenced off."""
        give = partial(artefacts.store, claim=self.claim, name=name, content_type=content_type, data=data)
        try:
            part = madefiles.part((await in_thread(give)).id)
        except Problem as problem:
            if problem.code.name in ("run_not_active", "unavailable"):
                raise
            raise AssistantError("artefact_refused", f"A file could not be kept: {problem.detail}") from problem
        if part not in self.parts:
            self.parts.append(part)
        return part

    async def asker(self) -> UUID | None:
        return await in_thread(_requested_by, self.claim)

    async def place(self) -> str:
        return str(self.claim.conversation)

    def before(self, kind: str, name: str) -> Any:
        step = self._replay.peek(kind, name)
        return step.get("output") if step and step["status"] == "completed" else None

    async def ask(self, kind: str, schema: dict[str, Any]) -> Any:
        """Raises Asked where nobody has answered yet, ValueError, and Problem when fenced off."""
        asked = {"step": str(new_id()), "kind": kind, "schema": questions.schema(kind, schema)}
        before = self._replay.next_answer(kind)
        if before:
            return before["value"]
        await self.finish()
        id_ = new_id()
        data = {**asked, "emitted": self._emitted, **self._noted()}
        await persistently(lambda: runs.ask(claim=self.claim, data=data, id=id_))
        raise Asked

    async def rest(self) -> NoReturn:
        """Give the run up for a moment; the turn begins anew in a few seconds, as after a question (`ask`).

        Raises Asked, and Problem when fenced off."""
        await self.finish()
        await in_thread(lambda: runs.rest(claim=self.claim))
        raise Asked

    async def hand_over(self, reason: str = "") -> NoReturn:
        """Raises HandedOver."""
        raise HandedOver(reason)

    @asynccontextmanager
    async def step(
        self, kind: str, name: str, input: Any = None, parent: str | None = None
    ) -> AsyncIterator[RunningStep]:
        before = self._replay.next_step(kind, name)
        if before and before["status"] == "completed":
            yield RunningStep(before.get("output"), before.get("sources") or [], done=True, id=before["step"])
            return
        id_ = before["step"] if before else str(new_id())
        data = {"step": id_, "kind": kind, "name": name, "input": bounded(input)}
        data |= {"parent": parent} if parent else {}
        await self._write_step({**data, "status": "running"})
        running = RunningStep(id=id_)
        try:
            yield running
        except Asked:
            raise
        except HandedOver:
            await self._write_step({**data, "status": "completed", "output": bounded(running.output)})
            raise
        except BaseException:
            await self._write_step({**data, "status": "failed", "output": bounded(running.output)})
            raise
        done = {"status": "completed", "output": bounded(running.output), "sources": running.sources}
        await self._write_step({**data, **done})

    async def degraded(self, plugin: str, reason: str) -> None:
        degrading.degraded(self.claim, plugin, reason)

    def _unheard(self, text: str) -> str:
        """What of `text` was not emitted before the turn waited."""
        before = min(len(text), max(0, self._replay.emitted - self._emitted))
        self._emitted += len(text)
        return text[before:]

    async def finish(self) -> None:
        """Wait until everything emitted is stored: nothing more comes. Raises Problem `run_not_active` when
        fenced off."""
        if self._flusher:
            await asyncio.shield(self._flusher)
        await self._store(last=True)

    async def settle(self) -> None:
        """Wait until nothing is being stored any more, whatever becomes of it: `run:end` has the whole text."""
        if self._flusher:
            await asyncio.gather(self._flusher, return_exceptions=True)

    async def _ensure_flusher(self) -> None:
        """Start the timer of the next group; a failure of the one before comes up here."""
        if self._flusher and self._flusher.done():
            self._flusher.result()
            self._flusher = None
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        """A piece goes at once, unless the one before has gone just now."""
        left = self._due - time.monotonic()
        if left > rhythm.seconds() * rhythm.IN_STEP:
            await asyncio.sleep(left)
        self._due = time.monotonic() + rhythm.seconds()
        await self._store()

    async def _store(self, *, last: bool = False) -> None:
        waiting, self._waiting = self._screen.feed("".join(self._waiting)), []
        if last:
            waiting += self._screen.end()
        if waiting:
            piece = chunks.Piece(self.claim, waiting, self._stored)
            self._stored = piece.end
            await persistently(lambda: chunks.store(piece))

    async def _write_step(self, data: dict[str, Any]) -> None:
        id_ = new_id()
        noted = {**data, **self._noted()}
        await persistently(lambda: runs.step(claim=self.claim, data=noted, id=id_))

    def _noted(self) -> dict[str, Any]:
        """What the run took so far, for an event that is written anyway: whoever ends it elsewhere knows of it."""
        usage = cleaned(self.spent)
        return {"usage": usage} if usage else {}


def _context(claim: runs.Claim, also: str, assistant: str) -> Context:
    """Make the context of a run, and store its report before anything is sent."""
    wanted = terms.for_assistant(assistant)
    if claim.team and claim.team["turn"]:
        wanted = wanted.as_speaker(assistant)
        also = "\n\n".join(filter(None, [members.told(claim.team["name"], assistant), also]))
    if also:
        wanted = replace(wanted, system=f"{wanted.system}\n\n{also}".strip())
    try:
        context = building.build(claim.conversation, wanted, claim.reply_to)
    except building.QuestionGone as gone:
        raise AssistantError("message_deleted", str(gone.detail)) from gone
    contexts.note_context(claim=claim, report=reports.stored(context, claim.conversation, claim.run))
    return context


def _about(claim: runs.Claim) -> About:
    found = selectors.about(claim.conversation, claim.reply_to)
    if found is None:
        raise AssistantError("message_deleted", str(building.QuestionGone().detail))
    return About(*found)


def _requested_by(claim: runs.Claim) -> UUID | None:
    return Run.objects.filter(id=claim.run).values_list("requested_by", flat=True).first()
