"""One durable thread, and the counter that numbers its events."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id

# The id of the primary key that wraps a row's data key.
WRAPPED_BY = Func(F("data_key"), Value(":"), Value(1), function="split_part", output_field=models.CharField())


class Conversation(models.Model):
    """The row is locked while events are numbered: `last_seq` is the head of the log.

    `title` is an envelope bound to the event `title_event`; `data_key` is wrapped by a primary key,
    and empty once the content was erased. `active_run` is the one run that may write; `agent` is the user who
    answers instead of assistants, while the status is with_agent. What is temporary has `expires_at`. COUNTERS
    count marks of feedback, and messages marked as sensitive; like everything derived they come from the log.
    """

    COUNTERS = ("up", "down", "solved", "copied", "sensitive")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        WAITING = "waiting", _("waiting for a person")
        WITH_AGENT = "with_agent", _("with an agent")
        CLOSED = "closed", _("closed")
        ARCHIVED = "archived", _("archived")

    # People answer: assistants are silent.
    HUMAN = (Status.WAITING, Status.WITH_AGENT)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner")
    )
    title = models.JSONField(null=True)
    title_event = models.UUIDField(null=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.OPEN)
    assistant = models.CharField(_("assistant"), max_length=64, null=True)
    agent = models.UUIDField(_("agent"), null=True)
    metadata = models.JSONField(_("metadata"), default=dict)
    tags = models.JSONField(_("tags"), default=list)
    epoch = models.UUIDField(_("epoch"), default=new_id)
    last_seq = models.BigIntegerField(_("head"), default=0)
    checkpoint_seq = models.BigIntegerField(default=0)
    data_key = models.CharField(max_length=200, blank=True)
    active_run = models.UUIDField(null=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    up = models.PositiveIntegerField(_("likes"), default=0)
    down = models.PositiveIntegerField(_("dislikes"), default=0)
    solved = models.PositiveIntegerField(_("solved"), default=0)
    copied = models.PositiveIntegerField(_("copied"), default=0)
    sensitive = models.PositiveIntegerField(_("sensitive"), default=0)
    created_at = models.DateTimeField(_("created"), null=True)
    updated_at = models.DateTimeField(_("updated"), null=True, db_index=True)
    archived_at = models.DateTimeField(_("archived"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    erased_at = models.DateTimeField(_("erased"), null=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        # For staff. What `read_content` opens: titles, texts, event data; without it they see who, when and how much.
        permissions = [
            ("read_content", "Can read content of conversations"),
            ("answer_as_agent", "Can take conversations that wait for a person"),
        ]
        indexes = [
            GinIndex(fields=["metadata"], name="conversation_metadata"),
            GinIndex(fields=["tags"], name="conversation_tags"),
            models.Index(
                fields=["updated_at"], condition=Q(last_seq__gt=F("checkpoint_seq")), name="conversation_unchecked"
            ),
            # What the life-cycle job looks for (services/lifecycle.py), and every process (erasures.py).
            models.Index(fields=["updated_at"], condition=~Q(status="archived"), name="conversation_idle"),
            models.Index(
                fields=["archived_at"],
                condition=Q(archived_at__isnull=False, erased_at=None),
                name="conversation_archived",
            ),
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False, erased_at=None), name="conversation_expiry"
            ),
            models.Index(fields=["erased_at"], condition=Q(erased_at__isnull=False), name="conversation_erased"),
            # What the agents' desk shows (selectors/desk.py).
            models.Index(
                fields=["status", "id"], condition=Q(status__in=["waiting", "with_agent"]), name="conversation_human"
            ),
            # Which primary keys are in use (services/maintenance.py).
            models.Index(WRAPPED_BY, F("id"), name="conversation_primary_key"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def uncount(self) -> None:
        """Set all COUNTERS to nothing."""
        for counter in self.COUNTERS:
            setattr(self, counter, 0)

    @property
    def erased(self) -> bool:
        return self.erased_at is not None
