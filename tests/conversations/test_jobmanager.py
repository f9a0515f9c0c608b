"""A worker's view of the queue, from which the database is away at every point."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from chatproject.lib import clock
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.jobmanager import PatientJobManager

NAME = "tests.patience"
Away = AbstractAsyncContextManager[Any]


@pytest_asyncio.fixture
async def connector() -> AsyncIterator[PsycopgConnector]:
    """With one connection to the database, for which nobody waits long; its queue is empty."""
    made = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=1, timeout=0.2)
    await made.open_async()
    yield made
    await made.close_async()
    await in_thread(ProcrastinateJob.objects.filter(queue_name=NAME).delete)


@pytest.fixture
def manager(connector: PsycopgConnector) -> PatientJobManager:
    return PatientJobManager(connector)


@pytest.fixture
def away(connector: PsycopgConnector) -> Away:
    """While there is no connection to be had."""
    return connector.pool.connection()


def enqueue() -> str:
    number = str(new_id())
    app.configure_task(NAME, queue=NAME, allow_unknown=True).defer(number=number)
    return number


def statuses(number: str) -> list[str]:
    return list(
        ProcrastinateJob.objects.filter(task_name=NAME, args={"number": number}).values_list("status", flat=True)
    )


async def fetched(manager: PatientJobManager, worker: int) -> Job:
    job = await manager.fetch_job([NAME], worker)
    assert job
    return job


async def test_a_job_whose_end_could_not_be_written_is_done_again(manager: PatientJobManager, away: Away) -> None:
    worker, number = await manager.register_worker(), await in_thread(enqueue)
    first = await fetched(manager, worker)
    async with away:
        await manager.finish_job(first, Status.SUCCEEDED, delete_job=True)
    assert await in_thread(statuses, number) == ["doing"]
    again = await fetched(manager, worker)
    assert again.id == first.id
    await manager.finish_job(again, Status.SUCCEEDED, delete_job=True)
    assert await in_thread(statuses, number) == []


async def test_a_job_whose_retry_could_not_be_written_is_done_again(manager: PatientJobManager, away: Away) -> None:
    worker, _ = await manager.register_worker(), await in_thread(enqueue)
    first = await fetched(manager, worker)
    async with away:
        await manager.retry_job(first, retry_at=clock.now())
    assert (await fetched(manager, worker)).id == first.id


async def test_a_job_that_was_fetched_and_never_came_is_fetched_again(manager: PatientJobManager, away: Away) -> None:
    """The database wrote down that this worker does it, and was gone before it could say so."""
    worker, number = await manager.register_worker(), await in_thread(enqueue)
    assert await manager.fetch_job(["another"], worker) is None
    await in_thread(lambda: ProcrastinateJob.objects.filter(queue_name=NAME).update(status="doing", worker_id=worker))
    assert await manager.fetch_job([NAME], worker) is None
    async with away:
        assert await manager.fetch_job([NAME], worker) is None
    assert (await fetched(manager, worker)).task_kwargs == {"number": number}


async def test_what_is_in_hand_stays_there(manager: PatientJobManager, away: Away) -> None:
    worker, number = await manager.register_worker(), await in_thread(enqueue)
    await fetched(manager, worker)
    async with away:
        await manager.update_heartbeat(worker)
    assert await manager.fetch_job([NAME], worker) is None
    assert await in_thread(statuses, number) == ["doing"]


async def test_a_job_that_somebody_else_ended_is_no_trouble(
    manager: PatientJobManager, caplog: pytest.LogCaptureFixture
) -> None:
    """This worker was silent for so long that another one took its job over."""
    worker, _ = await manager.register_worker(), await in_thread(enqueue)
    job = await fetched(manager, worker)
    await manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
    await manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
    assert caplog.messages == ["the queue cannot be asked or told (RaiseException); it will be looked up"]
    assert await manager.fetch_job([NAME], worker) is None


async def test_it_is_told_once_how_ever_long_the_database_is_away(
    manager: PatientJobManager, away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await manager.register_worker()
    async with away:
        for _ in range(3):
            assert await manager.fetch_job([NAME], worker) is None
    assert len(caplog.messages) == 1


async def test_a_worker_that_was_taken_for_dead_ends(manager: PatientJobManager) -> None:
    """It would never be given a job again."""
    worker, _ = await manager.register_worker(), await in_thread(enqueue)
    await manager.unregister_worker(worker)
    with pytest.raises(ConnectorException):
        await manager.fetch_job([NAME], worker)
