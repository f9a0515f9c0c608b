"""The folded state of a conversation at a seq."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation


class Snapshot(models.Model):
    """Derived from the log, so it may go at any time. `state` is that of fold/state.py, its texts envelopes;
    `checksum` binds it to its place (snapshots/checksums.py)."""

    class Reason(models.TextChoices):
        PERIODIC = "periodic", _("periodic")
        MANUAL = "manual", _("on demand")

    pk = models.CompositePrimaryKey("conversation_id", "seq")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="snapshots", db_index=False)
    seq = models.BigIntegerField(_("seq"))
    state = models.JSONField()
    checksum = models.CharField(_("checksum"), max_length=64)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        indexes = [
            GinIndex(
                OpClass(KeyTransform("messages", "state"), name="jsonb_path_ops"),
                name="snapshot_messages",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.seq}"
