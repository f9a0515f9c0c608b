"""What somebody thinks of a message."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation


class Feedback(models.Model):
    """A projection of the log: the last `message:feedback` of one user on one message.

    `user` is the author's id as the log has it; `comment` the envelope of the event `event`, or null.
    """

    class Rating(models.TextChoices):
        UP = "up", _("up")
        DOWN = "down", _("down")

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="feedback", db_index=False)
    message = models.UUIDField()
    user = models.CharField(_("user"), max_length=64)
    rating = models.CharField(_("rating"), max_length=8, choices=Rating, null=True)
    solved = models.BooleanField(_("solved"), default=False)
    copied = models.BooleanField(_("copied"), default=False)
    comment = models.JSONField(null=True)
    event = models.UUIDField()
    at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [models.UniqueConstraint(fields=["conversation", "message", "user"], name="feedback_once")]

    def __str__(self) -> str:
        return f"{self.message} {self.rating or '–'}"
