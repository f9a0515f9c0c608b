"""What the people in a room share beside the log: one register per key."""

from django.db import models

from conversations.models.conversation import Conversation


class RoomState(models.Model):
    """`value` is an envelope bound to conversation and key. `conflicts` are the losers of concurrent writes:
    `[{value, clock, by, at}]`, kept for ROOM_STATE_CONFLICT_SECONDS."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="states", db_index=False)
    key = models.CharField(max_length=128)
    value = models.JSONField()
    vector = models.JSONField(default=dict)
    wall = models.BigIntegerField()
    client_id = models.CharField(max_length=128)
    author = models.JSONField()
    conflicts = models.JSONField(default=list)
    updated_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "key"], name="room_state_key")]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.key}"
