"""Exports of many conversations, made in the background, and their encrypted content."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class Export(models.Model):
    """What `user` asked for. A worker that holds `fence` may write until `lease_until` (the database's clock).

    `by_staff`: what may be read is decided by the right to read content, not by membership. `total` and `done`
    count conversations, `bytes` what is stored. `data_key` is the export's own, wrapped by a primary key.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports", verbose_name=_("user")
    )
    by_staff = models.BooleanField(_("by staff"), default=False)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.QUEUED)
    total = models.PositiveIntegerField(_("conversations"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    bytes = models.BigIntegerField(_("bytes"), default=0)
    data_key = models.CharField(max_length=200)
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    expires_at = models.DateTimeField(_("expires"))

    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [
            models.Index(fields=["user", "created_at"], name="export_user"),
            models.Index(fields=["expires_at"], name="export_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.done}/{self.total}"

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else float(self.status == self.Status.COMPLETED)


class ExportItem(models.Model):
    """One conversation of an export; `chunks` says how much of it there is, once it is `done`.

    Nothing is stored of one that could not be read any more: removed from it, or erased.
    """

    pk = models.CompositePrimaryKey("export_id", "conversation_id")
    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="items", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    done = models.BooleanField(default=False)
    chunks = models.PositiveIntegerField(default=0)


class ExportChunk(models.Model):
    """A piece of one conversation's file: compressed, then encrypted."""

    pk = models.CompositePrimaryKey("export_id", "conversation_id", "number")
    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    conversation_id = models.UUIDField()
    number = models.PositiveIntegerField()
    data = models.BinaryField()
