"""Group commit: what waits together is written together, and everybody hears about their own."""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

import pytest
from django.db import OperationalError

from chatproject.lib.errors import Problem
from conversations.groupcommit import GroupCommit, Outcome


class Book:
    """Writes numbers down; can be held closed, and stumbles over what it is told to."""

    def __init__(self, *, limit: int = 100, queue: int = 100, apart: float = 0.0) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()
        self.stumbles: dict[int, list[Exception]] = {}
        self.later: Future[int] = Future()
        self.writer: GroupCommit[int, int] = GroupCommit("book", self.commit, limit=limit, queue=queue, apart=apart)

    def commit(self, items: Sequence[int]) -> "Sequence[Outcome[int]]":
        self.open.wait(10)
        for item in items:
            if self.stumbles.get(item):
                raise self.stumbles[item].pop(0)
        self.groups.append(list(items))
        return [self.later if item == 99 else Problem("conflict") if item < 0 else item * 10 for item in items]


@pytest.fixture
def book() -> Book:
    return Book()


def submitted(book: Book, *items: int) -> list[Future[int]]:
    """The first is in hand already while the others wait for the next group."""
    first = book.writer.submit(0)
    futures = [book.writer.submit(item) for item in items]
    book.open.set()
    assert first.result(10) == 0
    return futures


def test_what_waits_is_written_together(book: Book) -> None:
    assert [future.result(10) for future in submitted(book, *range(1, 51))] == [n * 10 for n in range(1, 51)]
    assert len(book.groups) <= 3
    assert [item for group in book.groups for item in group] == list(range(51))


def test_commits_keep_apart_where_they_may_wait() -> None:
    book = Book(apart=0.3)
    book.open.set()
    book.writer.submit(1).result()
    began = time.monotonic()
    for future in [book.writer.submit(2), book.writer.submit(3)]:
        future.result()
    assert book.groups == [[1], [2, 3]]
    assert time.monotonic() - began > 0.15


def test_what_is_urgent_does_not_keep_apart() -> None:
    book = Book(apart=3600)
    book.open.set()
    for number in (1, 3):
        book.writer.submit(number, urgent=True).result(10)
    waiting = book.writer.submit(4)
    assert book.writer.submit(5, urgent=True).result(10) == 50
    assert waiting.result(10) == 40


def test_groups_have_a_limit() -> None:
    book = Book(limit=10)
    for future in submitted(book, *range(1, 35)):
        future.result(10)
    assert max(map(len, book.groups)) == 10


def test_each_hears_of_its_own(book: Book) -> None:
    good, bad, later = submitted(book, 1, -1, 99)
    assert good.result(10) == 10
    with pytest.raises(Problem, match="conflict"):
        bad.result(10)
    assert not later.done()
    book.later.set_result(7)
    assert later.result(10) == 7


def test_a_failure_that_comes_later_is_heard_of_too(book: Book) -> None:
    (later,) = submitted(book, 99)
    book.later.set_exception(Problem("unavailable"))
    with pytest.raises(Problem, match="unavailable"):
        later.result(10)


def test_a_bad_one_fails_alone(book: Book) -> None:
    book.stumbles[3] = [KeyError("x"), KeyError("x")]
    futures = submitted(book, *range(1, 6))
    assert [n for n, future in enumerate(futures, 1) if future.exception(10)] == [3]
    with pytest.raises(Problem, match="internal"):
        futures[2].result()


def test_a_lost_connection_is_tried_once_more(book: Book) -> None:
    book.stumbles[3] = [OperationalError("gone")]
    assert [future.result(10) for future in submitted(book, 1, 2, 3)] == [10, 20, 30]

    book.stumbles[4] = [OperationalError("gone"), OperationalError("gone")]
    futures = [book.writer.submit(4)]
    with pytest.raises(Problem, match="unavailable"):
        futures[0].result(10)


def test_too_much_waiting_is_refused_at_once() -> None:
    book = Book(queue=5)
    book.writer.submit(0)
    while book.writer._queue.qsize():
        time.sleep(0.01)
    accepted = [book.writer.submit(n) for n in range(5)]
    with pytest.raises(Problem, match="unavailable"):
        book.writer.submit(6)
    book.open.set()
    assert [future.result(10) for future in accepted] == [n * 10 for n in range(5)]


async def test_who_stops_waiting_harms_nobody(book: Book) -> None:
    """A request that is cancelled neither takes its write back nor breaks the writer."""
    future = book.writer.submit(1)
    waiting = asyncio.ensure_future(asyncio.wrap_future(future))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    book.open.set()

    assert await asyncio.wrap_future(book.writer.submit(2)) == 20
    assert future.result(10) == 10
