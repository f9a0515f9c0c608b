"""Dialogues with the assistants of this instance, through the same services as everybody's messages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import asking, selectors
from conversations.assistants import runner
from conversations.dialogues.outcomes import Outcome
from conversations.dialogues.playing import NOBODY, NOTHING_ASKED, Played, Stage
from conversations.dialogues.script import Trajectory, Turn
from conversations.models import Run
from conversations.services import answering, conversations, erasing, messages

PAUSE_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Local(Stage):
    """As `user`. With `answers` this process takes the turns itself; workers that run may be faster."""

    user: User
    answers: bool = False

    async def play(self, trajectories: Sequence[Trajectory], concurrency: int) -> AsyncIterator[Played]:
        watch = asyncio.create_task(runner.watch()) if self.answers else None
        try:
            async for played in super().play(trajectories, concurrency):
                yield played
        finally:
            if watch:
                watch.cancel()

    async def begin(self, trajectory: Trajectory) -> UUID:
        assistant = trajectory.assistant or self.assistant
        made = await in_thread(partial(conversations.create, user=self.user, assistant=assistant, temporary=True))
        return (await asyncio.wrap_future(made)).conversation.id

    async def say(self, conversation: UUID, turn: Turn) -> UUID:
        send = partial(
            messages.send,
            user=self.user,
            conversation=conversation,
            text=turn.say,
            assistant=turn.assistant,
            cmid=str(new_id()),
        )
        sent = await asyncio.wrap_future(await in_thread(send))
        run = sent.main["data"].get("run")
        if run is None:
            raise Problem("invalid", NOBODY)
        return UUID(run)

    async def answer(self, run: UUID | None, value: object) -> UUID:
        return await in_thread(self._answer, run, value)

    async def ended(self, conversation: UUID, run: UUID) -> Outcome:
        if self.answers:
            await runner.take_turn(conversation)
        outcome = await in_thread(_outcome_of, run)
        while outcome is None:
            await asyncio.sleep(PAUSE_SECONDS)
            outcome = await in_thread(_outcome_of, run)
        return outcome

    async def leave(self, conversation: UUID) -> None:
        await in_thread(partial(erasing.erase, user=self.user, conversation=conversation))

    def _answer(self, run: UUID | None, value: object) -> UUID:
        row = Run.objects.filter(id=run).first() if run else None
        waiting = (
            [step for step in row.steps if asking.is_ask(step) and step["status"] == asking.WAITING] if row else []
        )
        if row is None or not waiting:
            raise Problem("run_not_active", NOTHING_ASKED)
        answering.answer(user=self.user, run=row, step=waiting[0]["step"], value=value).result()
        return row.id


def _outcome_of(run: UUID) -> Outcome | None:
    """How a run ended, or that it waits for a person; None while it goes on."""
    row = Run.objects.get(id=run)
    if row.ended_at is None and row.status != Run.Status.WAITING:
        return None
    took = (row.ended_at - row.queued_at).total_seconds() * 1000 if row.ended_at else 0.0
    return Outcome(
        status=row.status,
        text=selectors.answer(row)["text"],
        error=str((selectors.error_of(row) or {}).get("code", "")),
        steps=selectors.steps_of(row),
        sources=selectors.sources_of(row),
        milliseconds=took,
    )
