"""Playing dialogues: each in a temporary conversation of its own, several at the same time, through the same services
as everybody's messages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import asking, selectors
from conversations.assistants import runner
from conversations.dialogues.outcomes import Outcome, unmet
from conversations.dialogues.script import Trajectory, Turn, weight_of
from conversations.models import Run
from conversations.services import answering, conversations, erasing, messages

PAUSE_SECONDS = 0.02


@dataclass
class Played:
    """What came of one dialogue: `score` is the share of what was expected, 0 to 1, by weight."""

    trajectory: Trajectory
    met: float = 0.0
    failures: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def score(self) -> float:
        return self.met / self.trajectory.weight


@dataclass(frozen=True)
class Stage:
    """As whom dialogues are played, with which assistant unless they name one, and how long an answer may take. With
    `answers` this process takes the turns itself; workers that run may be faster."""

    user: User
    assistant: str | None = None
    seconds: float = 60.0
    answers: bool = False

    async def play(self, trajectories: Sequence[Trajectory], concurrency: int) -> AsyncIterator[Played]:
        """Play so many at the same time; each as soon as it is over."""
        free = asyncio.Semaphore(concurrency)
        watch = asyncio.create_task(runner.watch()) if self.answers else None
        tasks = [asyncio.create_task(self._one(trajectory, free)) for trajectory in trajectories]
        try:
            for done in asyncio.as_completed(tasks):
                yield await done
        finally:
            for task in (*tasks, *([watch] if watch else [])):
                task.cancel()

    async def _one(self, trajectory: Trajectory, free: asyncio.Semaphore) -> Played:
        async with free:
            played = Played(trajectory)
            try:
                conversation = await self._begin(trajectory)
            except Problem as problem:
                _rate_all(played, Outcome(failure=str(problem)))
                return played
            await self._turns(played, conversation)
            await in_thread(partial(erasing.erase, user=self.user, conversation=conversation))
            return played

    async def _begin(self, trajectory: Trajectory) -> UUID:
        assistant = trajectory.assistant or self.assistant
        made = await in_thread(partial(conversations.create, user=self.user, assistant=assistant, temporary=True))
        return (await asyncio.wrap_future(made)).conversation.id

    async def _turns(self, played: Played, conversation: UUID) -> None:
        last: UUID | None = None
        for number, turn in enumerate(played.trajectory.turns, 1):
            try:
                last = await self._ask(conversation, turn, last)
                outcome = await self._outcome(conversation, last)
            except Problem as problem:
                outcome = Outcome(failure=str(problem))
            _rate(played, number, turn, outcome)

    async def _ask(self, conversation: UUID, turn: Turn, last: UUID | None) -> UUID:
        """Say the line of a turn, or answer the question of the run before; the run. Raises Problem."""
        if turn.say is None:
            await in_thread(self._answer, last, turn.answer)
            assert last
            return last
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
            raise Problem("invalid", "Nobody answers in this dialogue: name an assistant.")
        return UUID(run)

    def _answer(self, run: UUID | None, value: object) -> None:
        row = Run.objects.filter(id=run).first() if run else None
        waiting = (
            [step for step in row.steps if asking.is_ask(step) and step["status"] == asking.WAITING] if row else []
        )
        if row is None or not waiting:
            raise Problem("run_not_active", "Nothing was asked.")
        answering.answer(user=self.user, run=row, step=waiting[0]["step"], value=value).result()

    async def _outcome(self, conversation: UUID, run: UUID) -> Outcome:
        late = Outcome(failure=f"there is no answer after {self.seconds:g} s")
        try:
            async with asyncio.timeout(self.seconds) as limit:
                outcome = await self._ended(conversation, run)
        except TimeoutError:
            return late
        # A turn that this process takes ends as interrupted when the time is over.
        return late if limit.expired() else outcome

    async def _ended(self, conversation: UUID, run: UUID) -> Outcome:
        if self.answers:
            await runner.take_turn(conversation)
        outcome = await in_thread(_outcome_of, run)
        while outcome is None:
            await asyncio.sleep(PAUSE_SECONDS)
            outcome = await in_thread(_outcome_of, run)
        return outcome


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


def _rate(played: Played, number: int, turn: Turn, outcome: Outcome) -> None:
    if outcome.milliseconds:
        played.milliseconds.append(outcome.milliseconds)
    for expectation in turn.expect:
        reason = unmet(expectation, outcome)
        played.met += 0 if reason else weight_of(expectation)
        if reason:
            played.failures.append(f"turn {number}: {reason}")


def _rate_all(played: Played, outcome: Outcome) -> None:
    for number, turn in enumerate(played.trajectory.turns, 1):
        _rate(played, number, turn, outcome)
