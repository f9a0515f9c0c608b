"""What a person or an assistant said, as it stands now."""

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation

# What takes part in the conversation: not deleted, not hidden, and chosen among its alternatives.
VISIBLE = Q(selected=True) & ~Q(status__in=["deleted", "hidden"])
# What stays in contexts when others of its age go.
KEPT = Q(pinned=True) | Q(role="system")


class MessageRows(models.QuerySet["Message"]):
    def visible(self) -> "MessageRows":
        """What takes part in the conversation: not deleted, not hidden, and chosen among its alternatives."""
        return self.filter(VISIBLE)

    def shown(self) -> "MessageRows":
        """What a page lists: like `visible`, and the places where something was deleted."""
        return self.filter(selected=True).exclude(status=Message.Status.HIDDEN)


class Message(models.Model):
    """A projection of the log. `text` is the envelope of the event `text_event`, or null where there is none yet.

    `versions` are all texts that it had, `[{seq, event, at}]`, in the order in which they were written; a
    version's text is in its event. `branch_of` is the first of a group of alternative answers, of which one is
    `selected`; null for that first one. `anchor` is its place in what assistants are sent: the seq of the
    message that it answers, or its own. `changed_seq` is the last event that changed the row. `tokens` counts the
    text by encoding. The author of an `imported` one is a label. A deleted or hidden message keeps its text here
    as the log does; wire/ shows none. `past` is what is needed to go back in time (conversations/past.py).
    `custom` is the envelope of its first event with the parts that are no files (conversations/messagetypes.py).
    """

    class Role(models.TextChoices):
        USER = "user", _("user")
        ASSISTANT = "assistant", _("assistant")
        AGENT = "agent", _("agent")
        SYSTEM = "system", _("system")

    class Status(models.TextChoices):
        COMPLETE = "complete", _("complete")
        STREAMING = "streaming", _("streaming")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")
        DELETED = "deleted", _("deleted")
        HIDDEN = "hidden", _("hidden")

    GONE = (Status.DELETED, Status.HIDDEN)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False)
    seq = models.BigIntegerField()
    changed_seq = models.BigIntegerField()
    anchor = models.BigIntegerField()
    role = models.CharField(_("role"), max_length=16, choices=Role)
    author_id = models.CharField(max_length=64)
    author_name = models.CharField(_("author"), max_length=150)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    text = models.JSONField(null=True)
    text_event = models.UUIDField(null=True)
    parts = models.JSONField(default=list)
    custom = models.JSONField(null=True)
    versions = models.JSONField(default=list)
    past = models.JSONField(default=list)
    tokens = models.JSONField(default=dict)
    extra = models.JSONField(default=dict)
    run = models.UUIDField(null=True)
    reply_to = models.UUIDField(null=True)
    branch_of = models.UUIDField(null=True)
    selected = models.BooleanField(_("selected"), default=True)
    pinned = models.BooleanField(_("pinned"), default=False)
    redacted = models.BooleanField(_("redacted"), default=False)
    sensitive = models.BooleanField(_("sensitive"), default=False)
    imported = models.BooleanField(default=False)
    seen_seq = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(_("created"))
    edited_at = models.DateTimeField(_("edited"), null=True)

    objects = MessageRows.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq")]
        indexes = [
            models.Index(fields=["branch_of"], condition=Q(branch_of__isnull=False), name="message_branch"),
            models.Index(fields=["conversation", "changed_seq"], name="message_changed"),
            models.Index(fields=["conversation", "seq"], condition=Q(pinned=True), name="message_pinned"),
            # What contexts are made of, read from the newest on; what stays in them; what was asked last.
            models.Index(fields=["conversation", "anchor", "seq"], condition=VISIBLE, name="message_sendable"),
            models.Index(fields=["conversation", "anchor", "seq"], condition=VISIBLE & KEPT, name="message_kept"),
            models.Index(fields=["conversation", "seq"], condition=VISIBLE & Q(role="user"), name="message_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"

    @property
    def group(self) -> UUID:
        """The id that names the group of alternatives that this message belongs to."""
        return self.branch_of or self.id
