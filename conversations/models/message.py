"""What a person or an assistant said, as it stands now."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class Message(models.Model):
    """A projection of the log. `text` is the envelope of the event `text_event`, or null where there is none yet."""

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

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False)
    seq = models.BigIntegerField()
    role = models.CharField(_("role"), max_length=16, choices=Role)
    author_id = models.CharField(max_length=64)
    author_name = models.CharField(_("author"), max_length=150)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    text = models.JSONField(null=True)
    text_event = models.UUIDField(null=True)
    run = models.UUIDField(null=True)
    reply_to = models.UUIDField(null=True)
    seen_seq = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq")]

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"
