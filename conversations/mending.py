"""Jobs that nobody does: the queue keeps them as if they were being done, for ever, unless somebody looks."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import UniqueViolation

from chatproject.lib import clock, metrics

log = logging.getLogger(__name__)

# A worker says every 10 s that it lives (procrastinate's `update_heartbeat_interval`).
SILENCE = timedelta(seconds=30)
# A job that took its worker with it so often is given up.
MAX_ATTEMPTS = 5
BATCH = 500


def mend() -> None:
    """Enqueue again what workers had in hand when they died."""
    _enqueue_all(stalled_jobs())


def take_back(worker: int, in_hand: frozenset[int]) -> None:
    """Enqueue again what this living worker is said to be doing, and does not have in hand."""
    _enqueue_all(ProcrastinateJob.objects.filter(worker_id=worker, status="doing").exclude(id__in=in_hand))


def _enqueue_all(jobs: Iterable[ProcrastinateJob]) -> None:
    for job in jobs:
        if job.attempts >= MAX_ATTEMPTS or not _enqueue_again(job):
            _give_up(job)


def stalled_jobs() -> list[ProcrastinateJob]:
    dead = Q(worker=None) | Q(worker__last_heartbeat__lt=Now() - SILENCE)
    return list(ProcrastinateJob.objects.filter(dead, status="doing").order_by("id")[:BATCH])


def _enqueue_again(job: ProcrastinateJob) -> bool:
    """Whether that was needed: the same job may wait already."""
    try:
        with transaction.atomic():
            app.job_manager.retry_job_by_id(job.id, retry_at=clock.now())
    except UniqueViolation:
        return False
    metrics.sweeps.labels("job_enqueued").inc()
    return True


def _give_up(job: ProcrastinateJob) -> None:
    if job.attempts >= MAX_ATTEMPTS:
        log.error("the job %s (%s) was tried %d times and is given up", job.task_name, job.id, job.attempts)
    with connection.cursor() as cursor:
        # procrastinate's own function raises where somebody else was quicker.
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'doing'", [job.id])
