"""The log. Rows are inserted by eventlog.py alone and never change, but for erasure."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation


class Event(models.Model):
    """One numbered fact of a conversation. Secret values in `data` are envelopes (see event_types.py).

    `cmid` is the author's own id of the request; together with conversation and author it is unique, and
    `fingerprint` (keyed hash of the request's body) tells a repetition from a contradiction. What came with an
    imported file names in `imported_by` the user who is answerable for it; its author is a label then, and its
    `cmid` binds nobody.
    """

    pk = models.CompositePrimaryKey("conversation_id", "seq")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    id = models.UUIDField(editable=False)
    type = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=150)
    cmid = models.CharField(max_length=128, null=True)
    fingerprint = models.BinaryField(max_length=32, null=True)
    imported_by = models.UUIDField(null=True)
    data = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "cmid", "actor_id"],
                condition=Q(cmid__isnull=False, imported_by=None),
                name="event_cmid",
            ),
        ]
        indexes = [models.Index(fields=["conversation", "at"], name="event_at")]

    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.seq} {self.type}"

    @property
    def user_id(self) -> str | None:
        """The user who wrote it; None where it was nobody of ours, but a label of an imported file, say."""
        return self.actor_id if self.actor_kind in ("user", "agent") and self.imported_by is None else None
