"""Group commit: what several callers want written while a commit is under way shares the next one.

The database's cost is per commit, not per row (docs/decisions/0002-group-commit.md), and waiting for the
commit before is a batch window that needs no timer: a lone writer never waits.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

from django.db import DatabaseError, InterfaceError, connections

from chatproject.lib import metrics
from chatproject.lib.errors import Problem

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """A thread that hands waiting items to `commit` in groups.

    `commit(items)` returns one result or exception per item, in order; where it raises a database error,
    each item is tried once more alone, so that one bad item fails alone.
    """

    def __init__(
        self,
        name: str,
        commit: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        *,
        limit: int,
        queue: int,
    ) -> None:
        self._name = name
        self._commit = commit
        self._limit = limit
        self._queue: Queue[tuple[Item, Future[Result]]] = Queue(queue)
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, item: Item) -> "Future[Result]":
        """Queue `item`; never blocks. Raises Problem `unavailable` where too much waits already."""
        if self._thread is None:
            self._start_thread()
        future: Future[Result] = Future()
        try:
            self._queue.put_nowait((item, future))
        except Full:
            raise Problem("unavailable", "Too many writes are waiting.", retry_after_ms=1000) from None
        return future

    def _start_thread(self) -> None:
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            group = self._next_group()
            items = [item for item, _ in group]
            for (_, future), result in zip(group, self._results(items), strict=True):
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _next_group(self) -> list[tuple[Item, "Future[Result]"]]:
        group = [self._queue.get()]
        while len(group) < self._limit:
            try:
                group.append(self._queue.get_nowait())
            except Empty:
                break
        return group

    def _results(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            return self._commit(items)
        except (DatabaseError, InterfaceError) as error:
            metrics.commit_failures.inc()
            log.warning("%s: a commit of %d failed: %s", self._name, len(items), type(error).__name__)
            connections.close_all()
            return [self._alone(item) for item in items]
        except Exception as error:
            log.exception("%s: a group could not be written", self._name)
            return [error] * len(items)

    def _alone(self, item: Item) -> Result | Exception:
        try:
            return self._commit([item])[0]
        except (DatabaseError, InterfaceError) as error:
            log.warning("%s: a write failed alone: %s", self._name, error)
            connections.close_all()
            return Problem("unavailable", retry_after_ms=1000)
        except Exception as error:
            log.exception("%s: a write could not be done", self._name)
            return error
