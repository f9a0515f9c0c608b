"""Who takes part in a conversation, and how far they have read."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation


class Member(models.Model):
    """A projection of the log, except for `read_seq`, which only ever grows."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        EDITOR = "editor", _("editor")
        AGENT = "agent", _("agent")
        VIEWER = "viewer", _("viewer")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    since = models.DateTimeField(_("since"))
    read_seq = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"
