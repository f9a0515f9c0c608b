"""Links by which strangers read a conversation or a report."""

from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation
from conversations.models.report import Report


class ShareRows(models.QuerySet["Share"]):
    def open(self) -> "ShareRows":
        """Those that lead somewhere: not over, of a conversation that is neither archived nor erased, made by
        somebody who may still log in."""
        of_conversation = Q(conversation__isnull=False, conversation__erased_at=None) & ~Q(
            conversation__status=Conversation.Status.ARCHIVED
        )
        open_ = of_conversation | Q(report__status=Report.Status.COMPLETED)
        return self.filter(open_, expires_at__gt=Now(), created_by__is_active=True)

    def unused(self) -> "ShareRows":
        """Those that somebody may still open."""
        return self.filter(Q(max_views=None) | Q(views__lt=F("max_views")))


class Share(models.Model):
    """Of a conversation or of a report. Of the token only `digest`, its SHA-256, is kept. Revoking deletes the row.

    `seq` is where a fixed one stands; a live one has none. `password` is hashed as those of users are. `tries` counts
    wrong passwords since `tries_since`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, related_name="shares", verbose_name=_("conversation")
    )
    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, null=True, related_name="shares", verbose_name=_("report")
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
        constraints = [
            models.CheckConstraint(
                condition=Q(conversation__isnull=False, report=None) | Q(conversation=None, report__isnull=False),
                name="share_of_one",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def place(self) -> UUID:
        """The conversation, of a share that shows one."""
        assert self.conversation_id
        return self.conversation_id

    @property
    def live(self) -> bool:
        return self.seq is None and self.report_id is None
