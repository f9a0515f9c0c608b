"""The way around a locked conversation.

Whoever holds a conversation's row must not hold up the others: its appends leave the group and wait for the
row in a thread of their own, one behind the other, while the log's writer goes on.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.db import connections

from chatproject.lib.errors import Problem
from conversations.appends import Append, Committed
from conversations.groupcommit import Commit, Outcome, attempt, resolve, too_many, uncancellable_future

# Conversations that are waited for at the same time; each takes a connection.
THREADS = 4
# Who waited that share of the lock timeout for one of them is told to try again: nobody waits twice as long for a
# lock as others do.
QUEUED_MAX = 0.5


@dataclass(frozen=True)
class Waiting:
    """An append that waits for its conversation since a moment (of time.monotonic)."""

    append: Append
    future: "Future[Committed]"
    since: float


class Detours:
    """Appends by conversation, each conversation driven by one thread at a time."""

    def __init__(self, commit: "Commit[Append, Committed]") -> None:
        self._commit = commit
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="detour")
        self._lock = Lock()
        self._waiting: dict[UUID, list[Waiting]] = {}

    def conversations(self) -> set[UUID]:
        """Those on a detour: what comes next for them has to queue there too, to keep its place."""
        with self._lock:
            return set(self._waiting)

    def enter(self, append: Append) -> "Outcome[Committed]":
        """Queue an append behind the others of its conversation; a Problem where too many wait already."""
        waiting = Waiting(append, uncancellable_future(), time.monotonic())
        with self._lock:
            if sum(map(len, self._waiting.values())) >= settings.GROUP_COMMIT_QUEUE:
                return too_many()
            begins = append.conversation not in self._waiting
            self._waiting.setdefault(append.conversation, []).append(waiting)
        if begins:
            self._executor.submit(self._drive, append.conversation)
        return waiting.future

    def _drive(self, conversation: UUID) -> None:
        while group := self._next(conversation):
            outcomes = self._outcomes(group)
            if all(map(_is_unavailable, outcomes)):
                # Whoever came meanwhile has waited too; nobody waits twice.
                group += self._late(conversation)
                outcomes = [outcomes[0] for _ in group]
            for one, outcome in zip(group, outcomes, strict=True):
                resolve(one.future, outcome)
        connections.close_all()

    def _outcomes(self, group: list[Waiting]) -> "Sequence[Outcome[Committed]]":
        """What comes of a group; where many conversations are locked, it has waited for a thread long enough."""
        if time.monotonic() - group[0].since > QUEUED_MAX * settings.LOCK_TIMEOUT_MS / 1000:
            return [too_many() for _ in group]
        return attempt("detour", self._commit, [one.append for one in group])

    def _next(self, conversation: UUID) -> list[Waiting]:
        """What waits now; where nothing does, the detour ends."""
        with self._lock:
            group = self._waiting.pop(conversation)
            if group:
                self._waiting[conversation] = []
            return group

    def _late(self, conversation: UUID) -> list[Waiting]:
        """What came while the detour was at work, which goes on."""
        with self._lock:
            group, self._waiting[conversation] = self._waiting[conversation], []
            return group


def _is_unavailable(outcome: "Outcome[Committed]") -> bool:
    return isinstance(outcome, Problem) and outcome.code.name == "unavailable"
