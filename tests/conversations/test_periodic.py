"""What comes again: enqueued once when it is due, done by one process at a time, found when its process died."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db.models import F
from django.db.models.functions import Now
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from conversations import periodic, queue
from conversations.models import PeriodicJob
from tests.conversations.support import at_once

NAME = "tests.clock"


@pytest.fixture(autouse=True)
def clock(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A periodic job of these tests alone, due at once."""
    settings.CLOCK_SECONDS = 300
    monkeypatch.setattr(periodic, "JOBS", {NAME: "CLOCK_SECONDS"})
    yield
    PeriodicJob.objects.filter(name=NAME).delete()
    for job in waiting():
        app.job_manager.cancel_job_by_id(job.id, delete_job=True)


def waiting() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name=NAME, status="todo"))


def row() -> PeriodicJob:
    return PeriodicJob.objects.get(name=NAME)


def let_pass(seconds: int) -> None:
    """Move the job's times, as if it were that much later."""
    moved = timedelta(seconds=seconds)
    PeriodicJob.objects.filter(name=NAME).update(due_at=F("due_at") - moved, running_until=F("running_until") - moved)


def test_it_is_enqueued_when_it_is_due_and_not_before() -> None:
    periodic.enqueue_due()
    (job,) = waiting()
    assert (job.queue_name, job.args) == (queue.BACKGROUND, {})
    app.job_manager.cancel_job_by_id(job.id, delete_job=True)

    let_pass(290)
    periodic.enqueue_due()
    assert waiting() == []
    let_pass(11)
    periodic.enqueue_due()
    assert len(waiting()) == 1


def test_what_waits_is_not_enqueued_again() -> None:
    for _ in range(3):
        periodic.enqueue_due()
        let_pass(301)
    assert len(waiting()) == 1


def test_of_many_processes_one_enqueues() -> None:
    at_once(8, lambda _: periodic.enqueue_due())
    assert len(waiting()) == 1


def test_zero_seconds_switch_it_off(settings: LazySettings) -> None:
    settings.CLOCK_SECONDS = 0
    periodic.enqueue_due()
    assert waiting() == []


def test_it_is_done_by_one_process_at_a_time() -> None:
    periodic.enqueue_due()
    begun, over = threading.Event(), threading.Event()
    done: list[str] = []

    def slowly() -> None:
        begun.set()
        assert over.wait(10)
        done.append("slow")

    thread = threading.Thread(target=periodic.alone, args=(NAME, slowly))
    thread.start()
    assert begun.wait(5)
    periodic.alone(NAME, lambda: done.append("too early"))
    let_pass(0)
    over.set()
    thread.join()
    periodic.alone(NAME, lambda: done.append("next"))
    assert done == ["slow", "next"]


def test_it_is_not_enqueued_while_it_is_done() -> None:
    periodic.enqueue_due()
    app.job_manager.cancel_job_by_id(waiting()[0].id, delete_job=True)

    def late() -> None:
        PeriodicJob.objects.filter(name=NAME).update(due_at=Now())
        periodic.enqueue_due()
        assert waiting() == []

    periodic.alone(NAME, late)
    periodic.enqueue_due()
    assert len(waiting()) == 1


def test_where_its_process_died_another_takes_over() -> None:
    periodic.enqueue_due()
    PeriodicJob.objects.filter(name=NAME).update(running_until=Now() + periodic.LEASE)
    done: list[str] = []
    periodic.alone(NAME, lambda: done.append("too early"))
    let_pass(31)
    periodic.alone(NAME, lambda: done.append("after the lease"))
    assert done == ["after the lease"]
    assert row().running_until is None


def test_a_failure_gives_the_lease_back() -> None:
    periodic.enqueue_due()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        periodic.alone(NAME, fail)
    assert row().running_until is None


def test_every_job_has_its_setting_and_its_task(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for name, setting in periodic.JOBS.items():
        assert getattr(settings, setting) >= 0
        assert app.tasks[name].queue == queue.BACKGROUND
