"""The queue as a worker sees it, from which the database may be away for a moment."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from psycopg.errors import ForeignKeyViolation

from chatproject.lib.database import is_away
from chatproject.lib.threads import in_thread
from conversations import mending

log = logging.getLogger(__name__)


class PatientJobManager(JobManager):
    """Where the database is away there is no job, and the next heartbeat will do.

    procrastinate's own worker ends when it cannot fetch or say that it lives, and takes the answers in hand with it;
    and what it could not say it has ended is "doing" for as long as it lives. Here it is enqueued again as soon as the
    database is back: jobs are done at least once.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self._in_hand: set[int] = set()
        # Workers of this process (each serves a queue) of which the database knows what they have in hand.
        self._known: set[int] = set()
        self._told = False

    async def update_heartbeat(self, worker_id: int) -> None:
        with self._patience():
            await super().update_heartbeat(worker_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        job = None
        with self._patience():
            await self._make_known(worker_id)
            job = await super().fetch_job(queues, worker_id)
            self._told = False
        if job and job.id:
            self._in_hand.add(job.id)
        return job

    async def finish_job_by_id_async(self, job_id: int, *args: Any, **options: Any) -> None:
        with self._patience():
            await super().finish_job_by_id_async(job_id, *args, **options)
        self._in_hand.discard(job_id)

    async def retry_job_by_id_async(self, job_id: int, *args: Any, **options: Any) -> None:
        with self._patience():
            await super().retry_job_by_id_async(job_id, *args, **options)
        self._in_hand.discard(job_id)

    async def _make_known(self, worker_id: int) -> None:
        """Enqueue again what the database believes this worker to be doing, after it was away."""
        if worker_id not in self._known:
            self._known.add(worker_id)
            await in_thread(mending.take_back, worker_id, frozenset(self._in_hand))

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """What fails may have been done or not: the next fetch looks. A worker that others took for dead, whose row is
        gone, ends, and comes back as another one."""
        try:
            yield
        except ConnectorException as error:
            if isinstance(error.__cause__, ForeignKeyViolation):
                raise
            self._doubt(error.__cause__ or error)
        except Error as error:
            if not is_away(error):
                raise
            self._doubt(error)

    def _doubt(self, error: BaseException) -> None:
        if not self._told:
            log.warning("the queue cannot be asked or told (%s); it will be looked up", type(error).__name__)
        self._told = True
        self._known.clear()
