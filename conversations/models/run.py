"""One turn of an assistant, who owns it, and what of its answer is stored."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class Run(models.Model):
    """A projection of the log, except for the lease and `context`, the report of what the assistant was sent
    (context/reports.py). `version` is that of the assistant's definition when it began. `branch_of` is set where an
    answer is given anew, `requested_by` where one of our users asked for it.

    `team` says of which team it is a turn (services/teaming.py).

    The worker that holds `fence` may write until `lease_until` (the database's clock); whoever ends the
    run raises `fence`, so that a late write of a paused worker is refused. `stored` counts code points.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        WAITING = "waiting", _("waiting for a person")
        COMPLETED = "completed", _("completed")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")

    ACTIVE = (Status.RUNNING, Status.WAITING)
    NOT_IN_THE_LOG = ("fence", "lease_until", "worker", "stored", "context")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="runs", db_index=False)
    message = models.UUIDField(null=True)
    reply_to = models.UUIDField()
    requested_by = models.UUIDField(null=True)
    team = models.JSONField(null=True)
    branch_of = models.UUIDField(null=True)
    assistant = models.CharField(_("assistant"), max_length=64)
    version = models.CharField(_("version"), max_length=64, null=True, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.QUEUED)
    steps = models.JSONField(_("steps"), default=list)
    usage = models.JSONField(_("usage"), null=True)
    error = models.JSONField(null=True)
    context = models.JSONField(null=True)
    end_event = models.UUIDField(null=True)
    queued_seq = models.BigIntegerField()
    queued_at = models.DateTimeField(_("queued"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    fence = models.PositiveIntegerField(_("fence"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    worker = models.CharField(_("worker"), max_length=64, blank=True)
    stored = models.PositiveIntegerField(_("stored characters"), default=0)

    # In SQL; then by `queued_seq`. What a team that has begun queues comes before what was asked for meanwhile.
    IN_TURN = "coalesce((team->>'began')::bigint, queued_seq)"

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        permissions = [("view_usage", "Can view what everybody's runs took")]
        indexes = [
            models.Index(fields=["conversation", "queued_seq"], name="run_order"),
            models.Index(fields=["requested_by", "queued_at"], name="run_of_user"),
            models.Index(fields=["queued_at"], condition=Q(requested_by__isnull=False), name="run_of_day"),
            models.Index(
                fields=["status", "lease_until"],
                condition=Q(status__in=["queued", "running"]),
                name="run_alive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assistant} {self.status}"


class RunChunk(models.Model):
    """A stored piece of a running answer; `offset` and `length` count code points. Gone when the run ends."""

    pk = models.CompositePrimaryKey("run_id", "offset")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    offset = models.PositiveIntegerField()
    length = models.PositiveIntegerField()
    text = models.JSONField()
