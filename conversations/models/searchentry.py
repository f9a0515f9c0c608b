"""What can be found: for each text of the log, keyed hashes of its words."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from conversations.models.conversation import Conversation


class SearchEntry(models.Model):
    """The words of the text that the event (conversation, seq) carries; like the event, it never changes.

    Which texts are to be found is not told here: it is the text that a message shows now (`Message.text_event`),
    or that a conversation has as its title (then `message` is null). `version` is that of the rules by which
    the text was cut into words.
    """

    pk = models.CompositePrimaryKey("conversation_id", "seq")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.BigIntegerField()
    event = models.UUIDField()
    message = models.UUIDField(null=True)
    words = ArrayField(models.BigIntegerField())
    version = models.PositiveSmallIntegerField()

    class Meta:
        # Without fastupdate: a search would have to read through the list of what is pending, again and again.
        indexes = [GinIndex(fields=["words"], name="search_words", fastupdate=False)]

    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.seq}"
