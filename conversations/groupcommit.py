"""Group commit: what several callers want written while a commit is under way shares the next one.

The database's cost is per commit, not per row (docs/decisions/0002-group-commit.md), and waiting for the
commit before is a batch window that needs no timer: a lone writer never waits.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Generic, TypeAlias, TypeVar

from django.db import connections

from chatproject.lib import metrics
from chatproject.lib.database import as_problem, is_away, is_lock_timeout, is_unreachable
from chatproject.lib.errors import Problem

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
# What came of one item: its result, why it failed, or a future where it takes longer than the group.
Outcome: TypeAlias = "Result | Exception | Future[Result]"
Commit: TypeAlias = "Callable[[Sequence[Item]], Sequence[Outcome[Result]]]"


class GroupCommit(Generic[Item, Result]):
    """A thread that hands waiting items to `commit` in groups; `commit` gives one outcome per item, in order.

    Two commits begin at least `apart` seconds from each other: where items come all the time, and each may wait for so
    long, more of them share one. What is urgent waits for the commit before only, and takes the others with it.
    """

    def __init__(
        self, name: str, commit: "Commit[Item, Result]", *, limit: int, queue: int, apart: float = 0.0
    ) -> None:
        self._apart = apart
        self._name = name
        self._commit = commit
        self._limit = limit
        self._queue: SimpleQueue[tuple[Item, Future[Result]]] = SimpleQueue()
        self._most = queue
        self._start = threading.Lock()
        self._urgent = threading.Event()
        self._thread: threading.Thread | None = None

    def submit(self, item: Item, *, urgent: bool = False) -> "Future[Result]":
        """Queue `item`; never blocks. Raises Problem `unavailable` where too much waits already.

        The future cannot be cancelled: whoever stops waiting does not stop the writing.
        """
        if self._queue.qsize() >= self._most:
            raise too_many()
        if self._thread is None:
            self._start_thread()
        future: Future[Result] = uncancellable_future()
        self._queue.put((item, future))
        if urgent:
            self._urgent.set()
        return future

    def _start_thread(self) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            group = self._next_group()
            began = time.monotonic()
            outcomes = attempt(self._name, self._commit, [item for item, _ in group])
            for (_, future), outcome in zip(group, outcomes, strict=True):
                resolve(future, outcome)
            if self._apart:
                self._urgent.wait(max(0.0, began + self._apart - time.monotonic()))

    def _next_group(self) -> list[tuple[Item, "Future[Result]"]]:
        group = [self._queue.get()]
        self._urgent.clear()  # what was urgent before is in the queue
        while len(group) < self._limit:
            try:
                group.append(self._queue.get_nowait())
            except Empty:
                break
        return group


def attempt(
    name: str, commit: "Commit[Item, Result]", items: Sequence[Item], *, fresh: bool = False
) -> "Sequence[Outcome[Result]]":
    """Commit a group, whatever happens.

    A lost connection is replaced once. Where a group fails for another reason, each item is tried alone, so
    that a bad one fails alone; one that waited in vain for a lock is not made to wait again.
    """
    try:
        return commit(items)
    except Exception as error:
        connections.close_all()
        metrics.commit_failures.inc()
        log.warning("%s: a commit of %d failed: %s", name, len(items), type(error).__name__)
        if is_away(error) and not fresh and not is_unreachable(error):
            return attempt(name, commit, items, fresh=True)
        if len(items) > 1 and not is_away(error) and not is_lock_timeout(error):
            return [attempt(name, commit, [item])[0] for item in items]
        problem = as_problem(error)
        if problem.code.name == "internal":
            log.exception("%s: a write cannot be done", name)
        return [problem for _ in items]


def too_many() -> Problem:
    """More writes wait than are let in, or for longer than anybody should."""
    metrics.refusals.labels("writes").inc()
    return Problem("unavailable", "Too many writes are waiting.", retry_after_ms=1000)


def uncancellable_future() -> "Future[Result]":
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()
    return future


def resolve(future: "Future[Result]", outcome: "Outcome[Result]") -> None:
    """Tell whoever waits for `future`."""
    if isinstance(outcome, Future):
        outcome.add_done_callback(lambda done: _pass_on(done, future))
    elif isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _pass_on(done: "Future[Result]", future: "Future[Result]") -> None:
    error = done.exception()
    if error:
        future.set_exception(error)
    else:
        future.set_result(done.result())
