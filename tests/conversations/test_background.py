"""Background jobs: enqueued in the caller's transaction, done in threads, mended when their worker died."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from chatproject.lib.ids import new_id
from conversations import background, mending, queue

NAME = "tests.work"


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Workers of other tests do not know these jobs."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s", [NAME])


def jobs(**arguments: Any) -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name=NAME, args=arguments).order_by("id"))


def in_hand(number: str, *, silent_for: int, attempts: int = 0) -> ProcrastinateJob:
    """A job that a worker fetched which was last heard of so many seconds ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))"
            " RETURNING id",
            [silent_for],
        )
        (worker,) = cursor.fetchone()
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s, attempts = %s"
            " WHERE task_name = %s AND args->>'number' = %s AND status = 'todo'",
            [worker, attempts, NAME, number],
        )
    return jobs(number=number)[0]


def test_a_job_is_enqueued_with_what_it_belongs_to() -> None:
    number = str(new_id())
    with transaction.atomic():
        queue.enqueue(NAME, number=number)
        transaction.set_rollback(True)
    assert jobs(number=number) == []
    queue.enqueue(NAME, number=number)
    queue.enqueue(NAME, number=number)
    assert [job.queue_name for job in jobs(number=number)] == [queue.BACKGROUND] * 2


def test_once_is_once_per_arguments_and_leaves_the_transaction_whole() -> None:
    number, other = str(new_id()), str(new_id())
    with transaction.atomic():
        for given in (number, number, other):
            queue.enqueue(NAME, once=True, number=given)
    assert (len(jobs(number=number)), len(jobs(number=other))) == (1, 1)


async def test_jobs_run_in_threads_side_by_side() -> None:
    both = threading.Barrier(2, timeout=5)
    await asyncio.gather(background.do(NAME, both.wait), background.do(NAME, both.wait))


async def test_a_failure_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await background.do(NAME, fail)
    assert f"{NAME} failed" in caplog.text


async def test_a_stopped_process_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_stopping", threading.Event())

    def long() -> None:
        while True:
            background.pause()
            time.sleep(0.01)

    job = asyncio.create_task(background.do(NAME, long))
    await asyncio.sleep(0)
    background.stop()
    with pytest.raises(background.Stopped):
        await job


def test_work_that_nobody_waits_for_leaves_time_to_others(settings: Settings) -> None:
    settings.BACKGROUND_PERCENT = 25
    began = time.monotonic()
    for _ in background.gently(range(3)):
        time.sleep(0.05)
    assert time.monotonic() - began >= 3 * 0.05 * 4


def test_who_rests_is_stopped_at_once(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    stopping = threading.Event()
    monkeypatch.setattr(background, "_stopping", stopping)
    settings.BACKGROUND_PERCENT = 1
    items = background.gently(range(3))
    assert next(items) == 0
    time.sleep(0.05)
    stopping.set()
    began = time.monotonic()
    with pytest.raises(background.Stopped):
        next(items)
    assert time.monotonic() - began < 0.5


def test_the_job_of_a_dead_worker_is_enqueued_again() -> None:
    number = str(new_id())
    queue.enqueue(NAME, number=number)
    in_hand(number, silent_for=31)
    mending.mend()
    (job,) = jobs(number=number)
    assert (job.status, job.attempts) == ("todo", 1)


def test_the_job_of_a_living_worker_is_left_alone() -> None:
    number = str(new_id())
    queue.enqueue(NAME, number=number)
    job = in_hand(number, silent_for=10)
    assert job.id not in {stalled.id for stalled in mending.stalled_jobs()}


def test_a_dead_job_whose_like_waits_already_goes() -> None:
    number = str(new_id())
    queue.enqueue(NAME, once=True, number=number)
    dead = in_hand(number, silent_for=60)
    queue.enqueue(NAME, once=True, number=number)
    mending.mend()
    (job,) = jobs(number=number)
    assert (job.status, job.id == dead.id) == ("todo", False)


def test_a_job_that_kills_its_workers_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    number = str(new_id())
    queue.enqueue(NAME, number=number)
    in_hand(number, silent_for=60, attempts=mending.MAX_ATTEMPTS)
    mending.mend()
    assert jobs(number=number) == []
    assert "given up" in caplog.text
