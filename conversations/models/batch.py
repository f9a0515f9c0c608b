"""Batches: many questions that are asked one by one, and the rows that say how far each of them is."""

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class BatchRows(models.QuerySet["Batch"]):
    def counted(self) -> "BatchRows":
        """With `done`, `failed`, `halted` and `lately`, numbers of rows; `lately`: ended since the batch went on."""
        lately = Q(rows__ended_at__gte=F("started_at"))
        return self.annotate(
            done=Count("rows", filter=Q(rows__status=BatchRow.Status.DONE)),
            failed=Count("rows", filter=Q(rows__status=BatchRow.Status.FAILED)),
            halted=Count("rows", filter=Q(rows__status=BatchRow.Status.STOPPED)),
            lately=Count("rows", filter=lately),
        )


class Batch(models.Model):
    """What `user` asked for. `conversation` is the one in which all is asked, where that is how; `temporary`
    conversations are made otherwise where it says so.

    `run` is the one that shows how far it is in a conversation (batches/acting.py), `shown` the percent that it
    told last.
    `title`, `about` (what is said in front of every question) and the questions are sealed with `data_key`, the
    batch's own, wrapped by a primary key.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        STOPPED = "stopped", _("stopped")

    class Where(models.TextChoices):
        EACH = "each", _("a conversation for each")
        ONE = "one", _("all in one conversation")

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="batches", verbose_name=_("user")
    )
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.QUEUED)
    assistant = models.CharField(_("assistant"), max_length=64)
    per_conversation = models.CharField(_("asked in"), max_length=8, choices=Where, default=Where.EACH)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("conversation")
    )
    temporary = models.BooleanField(default=False)
    title = models.JSONField(null=True)
    about = models.JSONField(null=True)
    run = models.UUIDField(null=True, unique=True)
    shown = models.PositiveSmallIntegerField(null=True)
    total = models.PositiveIntegerField(_("questions"))
    data_key = models.CharField(max_length=200)
    created_at = models.DateTimeField(_("created"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = BatchRows.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes = [
            models.Index(fields=["user", "created_at"], name="batch_user"),
            models.Index(fields=["status"], condition=Q(status__in=["queued", "running"]), name="batch_active"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.total}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE


class BatchRow(models.Model):
    """One question. `question` is sealed, and there until it was asked: from then on it is the text of `message`.

    `run` is the latest of `attempts`; its answer is read from the conversation. `error` says why it could not be asked.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("stopped")

    ENDED = (Status.DONE, Status.FAILED, Status.STOPPED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    question = models.JSONField(null=True)
    conversation = models.ForeignKey(Conversation, on_delete=models.SET_NULL, null=True, related_name="+")
    message = models.UUIDField(null=True)
    run = models.UUIDField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.JSONField(null=True)
    asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="batch_row_number")]
        indexes = [
            models.Index(fields=["batch", "status", "number"], name="batch_row_status"),
            models.Index(fields=["run"], condition=Q(run__isnull=False), name="batch_row_run"),
        ]
