"""Shapes of what is done to a message after it was said."""

from rest_framework import serializers

from chatproject.lib.fields import Flag, Text
from conversations.api.serializers import VersionShape


class MessageChange(serializers.Serializer):
    text = Text(trim_whitespace=False)
    base_seq = serializers.IntegerField(
        required=False, min_value=0, max_value=2**62, help_text="The head that was on screen; If-Match does as well."
    )


class PinInput(serializers.Serializer):
    on = Flag()


class RegenerateInput(serializers.Serializer):
    assistant = Text(required=False, allow_null=True, max_length=64)
    on_busy = Text(required=False, max_length=16)


class FeedbackInput(serializers.Serializer):
    rating = Text(required=False, allow_null=True, help_text="up, down or null.")
    solved = Flag(required=False)
    copied = Flag(required=False)
    comment = Text(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)


class VersionText(VersionShape):
    text = serializers.CharField(allow_blank=True)
    html = serializers.CharField(allow_blank=True)


class VersionPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = VersionText(many=True)
