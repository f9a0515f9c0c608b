"""Reports: documents that are filled from conversations, and the templates that say how."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.batch import Batch
from conversations.models.conversation import Conversation


class ReportTemplate(models.Model):
    """What a report looks like: Markdown, or a DOCX file, with `{{ placeholders }}`.

    Without `user` it is shared: staff made it for everybody. `content` is sealed with `data_key`, the template's own,
    wrapped by a primary key.
    """

    class Kind(models.TextChoices):
        MARKDOWN = "md", "Markdown"
        WORD = "docx", "DOCX"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("user")
    )
    key = models.SlugField(_("short name"), max_length=64)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    content = models.BinaryField()
    data_key = models.CharField(max_length=200)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("report template")
        verbose_name_plural = _("report templates")
        ordering = ("name", "id")
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="report_template_key", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.name


class Report(models.Model):
    """What `user` asked for. `asked` holds the questions of its template to an assistant; `batch` is the one whose
    rows it shows. A worker that holds `fence` may write until `lease_until` (the database's clock).

    `run` is the one that shows how far it is in a conversation (reports/acting.py), `shown` the percent that
    it told last.
    `title`, `source` (the template as it was) and the document are sealed with `data_key`, the report's own.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        FAILED = "failed", _("failed")

    class Form(models.TextChoices):
        WORD = "docx", "DOCX"
        PDF = "pdf", "PDF"
        HTML = "html", "HTML"
        MARKDOWN = "md", "Markdown"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reports", verbose_name=_("user")
    )
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.QUEUED)
    template = models.CharField(_("template"), max_length=64)
    kind = models.CharField(max_length=8, choices=ReportTemplate.Kind)
    form = models.CharField(_("format"), max_length=8, choices=Form)
    title = models.JSONField(null=True)
    source = models.BinaryField()
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, related_name="+")
    asked = models.OneToOneField(Batch, on_delete=models.SET_NULL, null=True, related_name="asked_for")
    run = models.UUIDField(null=True, unique=True)
    shown = models.PositiveSmallIntegerField(null=True)
    error = models.JSONField(null=True)
    bytes = models.PositiveIntegerField(_("bytes"), default=0)
    data_key = models.CharField(max_length=200)
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        indexes = [
            models.Index(fields=["user", "created_at"], name="report_user"),
            models.Index(fields=["status"], condition=Q(status__in=["queued", "running"]), name="report_active"),
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.form} {self.status}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE


class ReportSource(models.Model):
    """A conversation that a report is filled from, at `place` in its order; one of a batch's rows has none."""

    pk = models.CompositePrimaryKey("report_id", "conversation_id")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="sources", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    place = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = (F("place").asc(nulls_last=True),)


class ReportFile(models.Model):
    """The document, sealed."""

    report = models.OneToOneField(Report, on_delete=models.CASCADE, primary_key=True, related_name="file")
    data = models.BinaryField()
