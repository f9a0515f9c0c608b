"""`manage.py worker`: answers what is queued, and does the work in the background."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from psycopg import AsyncConnection

from chatproject.lib.threads import take_short_turns
from conversations import background, queue
from conversations.assistants import runner, sweeper
from conversations.jobmanager import PatientJobManager


class Command(BaseCommand):
    help = "Take turns for the assistants and do background jobs until stopped; any number of workers may run."

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=["start"], include_deployment_checks=True, databases=["default"])
        take_short_turns()
        sweeper.start()
        uvloop.run(_work())


async def _work() -> None:
    """Both queues, each with its own concurrency, until a signal comes or one of them ends."""
    # Assistants that hang in threads leave some for others.
    threads = ThreadPoolExecutor(settings.WORKER_CONCURRENCY, thread_name_prefix="assistants")
    asyncio.get_running_loop().set_default_executor(threads)
    watch = asyncio.create_task(runner.watch())
    worker_app = app.with_connector(PsycopgConnector(kwargs=connector_params(), configure=_one_by_one))
    worker_app.job_manager = PatientJobManager(worker_app.connector)
    try:
        async with worker_app.open_async():
            workers = [
                asyncio.create_task(_serve(worker_app, name, concurrency))
                for name, concurrency in (
                    (queue.TURNS, settings.WORKER_CONCURRENCY),
                    (queue.BACKGROUND, settings.BACKGROUND_CONCURRENCY),
                )
                if concurrency
            ]
            await asyncio.wait([*workers, _signalled()], return_when=asyncio.FIRST_COMPLETED)
            background.stop()
            await _end(workers)
    finally:
        watch.cancel()


async def _one_by_one(connection: AsyncConnection) -> None:
    """Each statement of the queue is whole by itself: no BEGIN and COMMIT around every look for a job."""
    await connection.set_autocommit(True)


async def _serve(worker_app: App, name: str, concurrency: int) -> None:
    await worker_app.run_worker_async(
        queues=[name],
        name=runner.WORKER,
        concurrency=concurrency,
        delete_jobs="always",
        shutdown_graceful_timeout=settings.DRAIN_SECONDS,
        fetch_job_polling_interval=2,
        install_signal_handlers=False,
    )


def _signalled() -> "asyncio.Future[None]":
    """Done when the process is asked to end; a second signal ends it at once."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[None] = loop.create_future()

    def note() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        asked.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, note)
    return asked


async def _end(workers: list["asyncio.Task[None]"]) -> None:
    """Have the workers finish what they have in hand; raises what ended one of them."""
    for worker in workers:
        worker.cancel()
    for outcome in await asyncio.gather(*workers, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
