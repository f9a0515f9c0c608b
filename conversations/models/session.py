"""One client's visit, over WebSocket or plain HTTP."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class Session(models.Model):
    """`last_seen` is renewed while the client is there; a visit is taken up again within SESSION_SECONDS.

    `data` is JSON of the caller's own, in clear; `conversation` is set for sessions without a socket.
    """

    class Kind(models.TextChoices):
        WEBSOCKET = "websocket", _("WebSocket")
        SSE = "sse", _("event stream")
        HTTP = "http", _("HTTP")

    class Reason(models.TextChoices):
        LEFT = "left", _("left")
        SILENCE = "silence", _("silence")
        EXPIRED = "expired", _("expired")
        STAFF = "staff", _("ended by staff")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    client_id = models.CharField(_("client"), max_length=128, blank=True)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, null=True, related_name="+")
    data = models.JSONField(_("data"), default=dict)
    started_at = models.DateTimeField(_("started"), db_index=True)
    last_seen = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("ended"), null=True, db_index=True)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [
            models.Index(fields=["user", "-started_at"], name="session_of_user"),
            models.Index(fields=["last_seen"], condition=models.Q(ended_at=None), name="session_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
