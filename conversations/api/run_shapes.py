"""Shapes of runs, what people say to them, and assistants."""

from rest_framework import serializers

from chatproject.lib.fields import Text
from conversations.api.serializers import RunShape


class RunList(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = RunShape(many=True)


class RunChange(serializers.Serializer):
    text = Text(trim_whitespace=False)


class AnswerInput(serializers.Serializer):
    step = Text(max_length=64, help_text="Of the `run:ask`.")
    value = serializers.JSONField(help_text="What fits the schema of the question.")


class AssistantShape(serializers.Serializer):
    name = serializers.CharField()
    description = serializers.CharField()
    version = serializers.CharField()
    kind = serializers.CharField(help_text="Where it comes from: setting, package, or the kind of its connector.")
    state = serializers.ChoiceField(["idle", "building", "ready", "failed"])
    breaker = serializers.ChoiceField(["closed", "open", "half-open"])


class AssistantList(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = AssistantShape(many=True)
