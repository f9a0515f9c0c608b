"""Shapes of batches, for validation and for the OpenAPI document."""

from rest_framework import serializers

from chatproject.lib.fields import Text
from conversations.models import Batch

WHERE = Batch.Where.values


class BatchInput(serializers.Serializer):
    questions = serializers.ListField(
        child=Text(allow_blank=True, trim_whitespace=False), required=False, help_text="At most BATCH_MAX_ROWS."
    )
    file = serializers.FileField(
        required=False, help_text="CSV, XLSX, JSONL or text, instead of `questions`, as multipart/form-data."
    )
    assistant = Text(required=False, allow_blank=True, help_text="DEFAULT_ASSISTANT where left out.")
    per_conversation = serializers.ChoiceField(
        WHERE, required=False, help_text="A conversation for `each` question (unless given), or `one` for all."
    )
    title = Text(required=False, allow_null=True, allow_blank=True)
    conversation = serializers.UUIDField(
        required=False, allow_null=True, help_text="In which all is asked; a new one, or new ones, where left out."
    )


class BatchShape(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(Batch.Status.choices)
    title = serializers.CharField(allow_null=True)
    assistant = serializers.CharField()
    per_conversation = serializers.ChoiceField(WHERE)
    conversation = serializers.UUIDField(allow_null=True)
    total = serializers.IntegerField()
    done = serializers.IntegerField(help_text="Answered.")
    failed = serializers.IntegerField()
    stopped = serializers.IntegerField()
    left = serializers.IntegerField()
    progress = serializers.FloatField(help_text="From 0 to 1.")
    rate = serializers.FloatField(allow_null=True, help_text="Questions a minute.")
    eta = serializers.DateTimeField(allow_null=True, help_text="When it will be over at this rate.")
    seconds_left = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    results_url = serializers.CharField()


class BatchPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = BatchShape(many=True)
