"""Shapes of snapshots."""

from rest_framework import serializers

from conversations.api.serializers import MemberShape, MessageShape, RunShape


class StateShape(serializers.Serializer):
    conversation = serializers.DictField(help_text="Title, owner, status, assistant, metadata, tags, version.")
    members = MemberShape(many=True)
    messages = MessageShape(many=True, help_text="The newest ones, hidden and deleted ones included without text.")
    messages_count = serializers.IntegerField()
    truncated = serializers.BooleanField(help_text="Whether there are more messages than these.")
    runs = RunShape(many=True, help_text="Those that had not ended.")


class SnapshotShape(serializers.Serializer):
    conversation = serializers.UUIDField()
    seq = serializers.IntegerField()
    state = StateShape()
    checksum = serializers.CharField(help_text="SHA-256 of the state as it is stored, encrypted.")
    reason = serializers.ChoiceField(("periodic", "manual", "replayed"))
    created_at = serializers.DateTimeField(allow_null=True, help_text="Null for a state that is not stored.")


class SnapshotPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = SnapshotShape(many=True)
