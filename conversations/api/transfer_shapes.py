"""Shapes of exports and imports, for validation and for the OpenAPI document."""

from rest_framework import serializers

from conversations.api.serializers import ConversationShape
from conversations.models import Export


class ImportInput(serializers.Serializer):
    file = serializers.FileField()


class ImportedShape(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField(allow_null=True)
    head = serializers.IntegerField()


class ImportShape(ConversationShape):
    imported = ImportedShape(many=True, help_text="All conversations of the file; the other fields are the first's.")


class BulkInput(serializers.Serializer):
    conversations = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_empty=False,
        max_length=10_000,
        help_text="All of yours where left out.",
    )


class BulkShape(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(Export.Status.choices)
    progress = serializers.FloatField(help_text="From 0 to 1.")
    total = serializers.IntegerField(help_text="Conversations.")
    done = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    download_url = serializers.CharField(allow_null=True)


class BulkPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = BulkShape(many=True)
