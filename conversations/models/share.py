"""Links by which strangers read a conversation."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class ShareRows(models.QuerySet["Share"]):
    def open(self) -> "ShareRows":
        """Those that lead somewhere: not over, of a conversation that is neither archived nor erased, made by
        somebody who may still log in."""
        return self.filter(expires_at__gt=Now(), conversation__erased_at=None, created_by__is_active=True).exclude(
            conversation__status=Conversation.Status.ARCHIVED
        )

    def unused(self) -> "ShareRows":
        """Those that somebody may still open."""
        return self.filter(Q(max_views=None) | Q(views__lt=F("max_views")))


class Share(models.Model):
    """Of the token only `digest`, its SHA-256, is kept. Revoking deletes the row.

    `seq` is where a fixed one stands; a live one has none. `password` is hashed as those of users are. `tries` counts
    wrong passwords since `tries_since`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="shares", verbose_name=_("conversation")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("made by")
    )
    digest = models.BinaryField(max_length=32, unique=True)
    seq = models.BigIntegerField(_("fixed at"), null=True)
    password = models.CharField(max_length=200, blank=True)
    max_views = models.PositiveIntegerField(_("views at most"), null=True)
    views = models.PositiveIntegerField(_("views"), default=0)
    tries = models.PositiveIntegerField(default=0)
    tries_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    objects = ShareRows.as_manager()

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def live(self) -> bool:
        return self.seq is None
