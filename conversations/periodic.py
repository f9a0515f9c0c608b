"""Work that comes again after a while. Every process looks for what is due; a row per job lets one enqueue it.

To add some: a name in queue.py, a setting with its seconds, a line in JOBS, and `periodically` in jobs.py.
The work itself is a plain function that may be killed at any moment and be done again.
"""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from conversations import leases, queue
from conversations.models import PeriodicJob

# Job -> the setting that says after how many seconds it comes again; 0 = never.
JOBS = {
    queue.MEND_QUEUE: "MEND_QUEUE_SECONDS",
    queue.MEND_EXPORTS: "MEND_EXPORTS_SECONDS",
    queue.MEND_BATCHES: "MEND_BATCHES_SECONDS",
    queue.MEND_REPORTS: "MEND_REPORTS_SECONDS",
    queue.MEND_DESK: "MEND_DESK_SECONDS",
    queue.CHECKPOINT: "CHECKPOINT_SECONDS",
    queue.VERIFY: "VERIFY_SECONDS",
    queue.CLEAR_FILES: "CLEAR_FILES_SECONDS",
    queue.SWEEP_SESSIONS: "SWEEP_SESSIONS_SECONDS",
    queue.LIFECYCLE: "LIFECYCLE_SECONDS",
    queue.EMBED: "EMBED_SECONDS",
}
# A job whose process is gone may be begun by another after this long.
LEASE = timedelta(seconds=30)
RENEW_SECONDS = 10
FREE = Q(running_until=None) | Q(running_until__lt=Now())


def enqueue_due() -> None:
    """Enqueue what is due, each job in a transaction with the time at which it comes again."""
    known = set(PeriodicJob.objects.values_list("name", flat=True))
    if JOBS.keys() - known:
        PeriodicJob.objects.bulk_create([PeriodicJob(name=name) for name in JOBS], ignore_conflicts=True)
    for name in PeriodicJob.objects.filter(FREE, due_at__lte=Now()).values_list("name", flat=True):
        seconds = getattr(settings, JOBS[name]) if name in JOBS else 0
        if seconds:
            _enqueue(name, timedelta(seconds=seconds))


@transaction.atomic
def _enqueue(name: str, period: timedelta) -> None:
    """The database's clock decides, under the row's lock, so that one process alone enqueues."""
    if PeriodicJob.objects.filter(FREE, name=name, due_at__lte=Now()).update(due_at=Now() + period):
        queue.enqueue(name, once=True)


def alone(name: str, work: Callable[[], object]) -> None:
    """Do the work of a periodic job, unless another process is at it."""
    row = PeriodicJob.objects.filter(name=name)
    if row.filter(FREE).update(running_until=Now() + LEASE):
        try:
            with leases.held(name, lambda: row.update(running_until=Now() + LEASE), every=RENEW_SECONDS):
                work()
        finally:
            row.update(running_until=None)
