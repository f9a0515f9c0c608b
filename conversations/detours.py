"""The way around a locked conversation.

Whoever holds a conversation's row must not hold up the others: its appends leave the group and wait for the
row in a thread of their own, one behind the other, while the log's writer goes on.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from uuid import UUID

from django.db import connections

from chatproject.lib.errors import Problem
from conversations.appends import Append, Committed
from conversations.groupcommit import Commit, Outcome, attempt, resolve, uncancellable_future

# Conversations that are waited for at the same time; each takes a connection.
THREADS = 4

Waiting = list[tuple[Append, "Future[Committed]"]]


class Detours:
    """Appends by conversation, each conversation driven by one thread at a time."""

    def __init__(self, commit: "Commit[Append, Committed]") -> None:
        self._commit = commit
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="detour")
        self._lock = Lock()
        self._waiting: dict[UUID, Waiting] = {}

    def conversations(self) -> set[UUID]:
        """Those on a detour: what comes next for them has to queue there too, to keep its place."""
        with self._lock:
            return set(self._waiting)

    def enter(self, append: Append) -> "Future[Committed]":
        """Queue an append behind the others of its conversation."""
        future: Future[Committed] = uncancellable_future()
        with self._lock:
            begins = append.conversation not in self._waiting
            self._waiting.setdefault(append.conversation, []).append((append, future))
        if begins:
            self._executor.submit(self._drive, append.conversation)
        return future

    def _drive(self, conversation: UUID) -> None:
        while group := self._next(conversation):
            outcomes = attempt("detour", self._commit, [append for append, _ in group])
            if all(map(_is_unavailable, outcomes)):
                # Whoever came meanwhile has waited too; nobody waits twice.
                group += self._late(conversation)
                outcomes = [outcomes[0] for _ in group]
            for (_, future), outcome in zip(group, outcomes, strict=True):
                resolve(future, outcome)
        connections.close_all()

    def _next(self, conversation: UUID) -> Waiting:
        """What waits now; where nothing does, the detour ends."""
        with self._lock:
            group = self._waiting.pop(conversation)
            if group:
                self._waiting[conversation] = []
            return group

    def _late(self, conversation: UUID) -> Waiting:
        """What came while the detour was at work, which goes on."""
        with self._lock:
            group, self._waiting[conversation] = self._waiting[conversation], []
            return group


def _is_unavailable(outcome: "Outcome[Committed]") -> bool:
    return isinstance(outcome, Problem) and outcome.code.name == "unavailable"
