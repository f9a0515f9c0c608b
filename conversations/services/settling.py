"""What follows for a batch from the end of a run, in the transaction that ends it."""

from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from chatproject.lib import metrics, rows
from conversations import queue
from conversations.models import Batch, BatchRow, Run

OUTCOMES = {
    Run.Status.COMPLETED: BatchRow.Status.DONE,
    Run.Status.STOPPED: BatchRow.Status.STOPPED,
    Run.Status.FAILED: BatchRow.Status.FAILED,
    Run.Status.INTERRUPTED: BatchRow.Status.FAILED,
}

ANSWERED = "SELECT id FROM conversations_batchrow WHERE run = %s AND status = 'running'"


def settle(run: UUID, status: str) -> None:
    """The row that this run answers is settled, or asked again where the run was interrupted; the batch goes on."""
    if status == Run.Status.STOPPED:
        stop_shown(run)
    answered = rows.execute(ANSWERED, run).fetchone()
    if answered is None:
        return
    row = BatchRow.objects.select_related("batch").get(id=answered[0])
    if status == Run.Status.INTERRUPTED and row.batch.is_active and row.attempts < settings.BATCH_ATTEMPTS:
        again(row)
    else:
        end(row, OUTCOMES[Run.Status(status)])
    queue.enqueue(queue.BATCH, batch=str(row.batch_id))


def stop_shown(run: UUID) -> None:
    """Who stops the run that shows a batch means the batch."""
    batch = Batch.objects.filter(run=run, status__in=Batch.ACTIVE).first()
    if batch:
        stop(batch)
        queue.enqueue(queue.MEND_BATCHES)


def stop(batch: Batch) -> None:
    """Nothing more is asked; what is being answered is stopped by who called."""
    Batch.objects.filter(id=batch.id).update(status=Batch.Status.STOPPED, ended_at=Now())
    pending = BatchRow.objects.filter(batch=batch, status=BatchRow.Status.PENDING)
    metrics.batch_rows.labels("stopped").inc(pending.update(status=BatchRow.Status.STOPPED, ended_at=Now()))
    metrics.batches.labels("stopped").inc()


def again(row: BatchRow) -> None:
    """To be asked (once more)."""
    BatchRow.objects.filter(id=row.id).update(status=BatchRow.Status.PENDING, run=None)


def end(row: BatchRow, status: str, error: dict[str, str] | None = None) -> None:
    """Settle a row."""
    BatchRow.objects.filter(id=row.id).update(status=status, ended_at=Now(), error=error)
    metrics.batch_rows.labels(status).inc()


def unfinished(batch: UUID) -> bool:
    """Whether something of a batch is still to come."""
    return Batch.objects.filter(id=batch, status__in=Batch.ACTIVE).exists()
