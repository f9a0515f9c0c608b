"""Shapes of shares, and of what strangers see, for validation and for the OpenAPI document."""

from rest_framework import serializers

from chatproject.lib.fields import Text
from conversations.models import Message

MOST_VIEWS = 1_000_000
MOST = 2**62


class ShareInput(serializers.Serializer):
    mode = serializers.ChoiceField(("fixed", "live"), default="fixed")
    expires_in = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**31, help_text="Seconds; SHARE_DAYS unless given."
    )
    password = Text(required=False, allow_null=True, max_length=128, trim_whitespace=False)
    max_views = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=MOST_VIEWS)
    seq = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST, help_text="Where a fixed one stands; the head."
    )


class ShareShape(serializers.Serializer):
    id = serializers.UUIDField()
    token = serializers.CharField(required=False, help_text="Only when it is made.")
    url = serializers.CharField(allow_null=True, help_text="Only when it is made; null afterwards.")
    mode = serializers.ChoiceField(("fixed", "live"))
    seq = serializers.IntegerField(allow_null=True)
    password = serializers.BooleanField()
    max_views = serializers.IntegerField(allow_null=True)
    views = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class SharePage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ShareShape(many=True)


class SharedAuthor(serializers.Serializer):
    name = serializers.CharField()


class SharedFile(serializers.Serializer):
    name = serializers.CharField()
    type = serializers.CharField()
    size = serializers.IntegerField()


class SharedMessage(serializers.Serializer):
    id = serializers.UUIDField()
    seq = serializers.IntegerField()
    place = serializers.IntegerField()
    role = serializers.ChoiceField(Message.Role.choices)
    author = SharedAuthor()
    status = serializers.ChoiceField(Message.Status.choices)
    text = serializers.CharField(allow_blank=True)
    html = serializers.CharField(allow_blank=True)
    files = SharedFile(many=True)
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class SharedShape(serializers.Serializer):
    title = serializers.CharField(allow_null=True)
    mode = serializers.ChoiceField(("fixed", "live"))
    seq = serializers.IntegerField(help_text="Everything up to it is shown.")
    epoch = serializers.UUIDField()
    expires_at = serializers.DateTimeField()
    messages = SharedMessage(many=True)
    next = serializers.CharField(allow_null=True, help_text="The next page, which belongs to the same visit.")
    events = serializers.CharField(allow_null=True, help_text="What comes, of a live one; belongs to the same visit.")
