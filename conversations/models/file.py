"""What somebody uploaded into a conversation, and its encrypted content."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class File(models.Model):
    """There is a row as soon as all of the content is there, and not before. It never changes, but for `message`:
    the one message that carries it, a projection of the log; null until it is attached.

    `name` and `text` (what could be drawn from the content; null where nothing) are envelopes bound to the file's id;
    `digest` is a keyed hash of the content, `tokens` counts `text` by encoding, `request` is an Idempotency-Key.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="files", db_index=False)
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("uploader")
    )
    message = models.UUIDField(null=True)
    name = models.JSONField()
    type = models.CharField(_("type"), max_length=100)
    size = models.BigIntegerField(_("bytes"))
    digest = models.BinaryField(max_length=32)
    text = models.JSONField(null=True)
    tokens = models.JSONField(_("tokens"), default=dict)
    request = models.CharField(max_length=255, null=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "uploader", "request"], condition=Q(request__isnull=False), name="file_once"
            )
        ]
        indexes = [
            models.Index(fields=["conversation", "created_at", "id"], name="file_order"),
            models.Index(fields=["created_at"], condition=Q(message__isnull=True), name="file_unattached"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.size}"


class FileChunk(models.Model):
    """A piece of a file's content, encrypted (files/content.py)."""

    pk = models.CompositePrimaryKey("file_id", "number")
    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()
