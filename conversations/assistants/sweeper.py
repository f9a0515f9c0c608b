"""Ends the runs of dead workers, enqueues again what lost its job, and what is due (periodic.py).

Runs in web and worker processes alike, so that answers end even with every worker dead; an advisory lock
lets one of them work at a time.
"""

import logging
import threading
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Now
from procrastinate.contrib.django.models import ProcrastinateJob

from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from conversations import periodic, queue
from conversations.models import Run
from conversations.services import runs

log = logging.getLogger(__name__)

LOCK_ID = 0x5EEB
LOST_AFTER = timedelta(seconds=10)
BATCH = 200


def start() -> threading.Thread:
    """Sweep every SWEEP_SECONDS in a thread of this process."""
    thread = threading.Thread(target=_run, name="sweeper", daemon=True)
    thread.start()
    return thread


def _run() -> None:
    stop = threading.Event()
    while not stop.wait(settings.SWEEP_SECONDS):
        try:
            sweep()
        except Exception as error:
            log.warning("the sweep failed and is tried again: %s", type(error).__name__)
        finally:
            connections.close_all()


def sweep() -> None:
    """One pass, unless another process is at it."""
    with transaction.atomic():
        if _elected():
            interrupt_dead()
            enqueue_lost()
    periodic.enqueue_due()


def _elected() -> bool:
    """Whether no other process sweeps. The lock ends with the transaction, and PostgreSQL ends a transaction
    whose process hangs (`idle_in_transaction_session_timeout`); a session's lock would be kept for ever."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_ID])
        return bool(cursor.fetchone()[0])


def interrupt_dead() -> None:
    """End every run whose lease has run out (the database's clock)."""
    for run in Run.objects.filter(status=Run.Status.RUNNING, lease_until__lt=Now())[:BATCH]:
        try:
            runs.interrupt(run=run, is_dead=_lease_is_over).result()
            metrics.sweeps.labels("interrupted").inc()
        except Problem as problem:
            log.info("run %s needs no interruption (%s)", run.id, problem.code.name)


def enqueue_lost() -> None:
    """Wake a worker for conversations whose oldest queued run, or whose answered question, waits without a job."""
    for conversation in lost_conversations():
        queue.enqueue_turn(conversation)
        metrics.sweeps.labels("enqueued").inc()


def lost_conversations() -> list[UUID]:
    jobs = ProcrastinateJob.objects.annotate(conversation=KeyTextTransform("conversation", "args"))
    job = jobs.filter(
        task_name=queue.TAKE_TURN, status="todo", conversation=Cast(OuterRef("conversation_id"), CharField())
    )
    waiting = Q(status=Run.Status.QUEUED, conversation__active_run__isnull=True)
    answered = Q(status=Run.Status.RUNNING, lease_until=None)
    rows = Run.objects.filter(waiting | answered, ~Exists(job), queued_at__lt=Now() - LOST_AFTER)
    return list(rows.values_list("conversation_id", flat=True).distinct()[:BATCH])


def _lease_is_over(run: Run) -> bool:
    return Run.objects.filter(id=run.id, lease_until__lt=Now()).exists()
