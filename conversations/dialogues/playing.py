"""Playing dialogues: each in a temporary conversation of its own, several at the same time."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from chatproject.lib.errors import Problem
from conversations.dialogues.outcomes import Outcome, unmet
from conversations.dialogues.script import Trajectory, Turn, weight_of

NOBODY = "Nobody answers in this dialogue: name an assistant."
NOTHING_ASKED = "Nothing was asked."


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


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """Where dialogues are played: with which assistant unless they name one, and how long an answer may take."""

    assistant: str | None = None
    seconds: float = 60.0

    @abstractmethod
    async def begin(self, trajectory: Trajectory) -> UUID:
        """A new temporary conversation. Raises Problem."""

    @abstractmethod
    async def say(self, conversation: UUID, turn: Turn) -> UUID:
        """Say the line of a turn; the run that answers. Raises Problem."""

    @abstractmethod
    async def answer(self, run: UUID | None, value: object) -> UUID:
        """Answer what a run asked; the run. Raises Problem."""

    @abstractmethod
    async def ended(self, conversation: UUID, run: UUID) -> Outcome:
        """How a run ended, or that it waits for a person; for as long as it takes. Raises Problem."""

    @abstractmethod
    async def leave(self, conversation: UUID) -> None:
        """Erase the conversation. Raises Problem."""

    async def play(self, trajectories: Sequence[Trajectory], concurrency: int) -> AsyncIterator[Played]:
        """Play so many at the same time; each as soon as it is over."""
        free = asyncio.Semaphore(concurrency)
        tasks = [asyncio.create_task(self._one(trajectory, free)) for trajectory in trajectories]
        try:
            for done in asyncio.as_completed(tasks):
                yield await done
        finally:
            for task in tasks:
                task.cancel()

    async def _one(self, trajectory: Trajectory, free: asyncio.Semaphore) -> Played:
        async with free:
            played = Played(trajectory)
            try:
                conversation = await self.begin(trajectory)
            except Problem as problem:
                _rate_all(played, Outcome(failure=str(problem)))
                return played
            await self._turns(played, conversation)
            with suppress(Problem):  # what is temporary goes by itself
                await self.leave(conversation)
            return played

    async def _turns(self, played: Played, conversation: UUID) -> None:
        last: UUID | None = None
        for number, turn in enumerate(played.trajectory.turns, 1):
            try:
                last = await (self.answer(last, turn.answer) if turn.say is None else self.say(conversation, turn))
                outcome = await self._outcome(conversation, last)
            except Problem as problem:
                outcome = Outcome(failure=str(problem))
            _rate(played, number, turn, outcome)

    async def _outcome(self, conversation: UUID, run: UUID) -> Outcome:
        late = Outcome(failure=f"there is no answer after {self.seconds:g} s")
        try:
            async with asyncio.timeout(self.seconds) as limit:
                outcome = await self.ended(conversation, run)
        except TimeoutError:
            return late
        # A turn that this process takes ends as interrupted when the time is over.
        return late if limit.expired() else outcome


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
