"""What was said in a part of a conversation, in short."""

from django.db import models

from chatproject.lib.ids import new_id
from conversations.models.conversation import Conversation


class Summary(models.Model):
    """Covers what is anchored from `from_seq` to `to_seq` (context/ranges.py); gone where any of that changes.

    `text` is an envelope bound to this row, `tokens` its length by encoding with what a context adds to it.
    `author` is the assistant that wrote it, or empty where its sentences were picked out.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="summaries", db_index=False)
    from_seq = models.BigIntegerField()
    to_seq = models.BigIntegerField()
    text = models.JSONField()
    tokens = models.JSONField(default=dict)
    author = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = "summary"
        verbose_name_plural = "summaries"
        constraints = [models.UniqueConstraint(fields=["conversation", "from_seq", "to_seq"], name="summary_range")]

    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.from_seq}-{self.to_seq}"
