"""Shapes of PROTOCOL.md section 3, for validation and for the OpenAPI document."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chatproject.lib.fields import Text
from conversations.models import Conversation, Feedback, Message, Run

ROLES = ("owner", "editor", "agent", "viewer")


class MemberUser(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class MemberShape(serializers.Serializer):
    user = MemberUser()
    role = serializers.ChoiceField(ROLES)
    since = serializers.DateTimeField()


class MemberPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = MemberShape(many=True)


class MemberInput(serializers.Serializer):
    user = Text(max_length=150, help_text="Id or user name.")
    role = Text(max_length=16, default="editor")


class RoleInput(serializers.Serializer):
    role = Text(max_length=16)


class FeedbackCounts(serializers.Serializer):
    up = serializers.IntegerField()
    down = serializers.IntegerField()
    solved = serializers.IntegerField()
    copied = serializers.IntegerField()


class HandoffShape(serializers.Serializer):
    at = serializers.DateTimeField(help_text="Since when it is as it is: it waits, or somebody has it.")
    reason = serializers.CharField(allow_null=True)


class ConversationShape(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(Conversation.Status.choices)
    assistant = serializers.CharField(allow_null=True)
    agent = serializers.UUIDField(allow_null=True, help_text="The user who answers while the status is with_agent.")
    owner = serializers.UUIDField()
    role = serializers.ChoiceField(ROLES, allow_null=True, help_text="Null at the desk, for who is no member.")
    metadata = serializers.DictField()
    tags = serializers.ListField(child=serializers.CharField())
    feedback = FeedbackCounts()
    sensitive = serializers.IntegerField(help_text="How many messages and other entries are marked.")
    epoch = serializers.UUIDField()
    head = serializers.IntegerField()
    unread = serializers.IntegerField()
    members_count = serializers.IntegerField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When a temporary conversation is erased.")
    erased = serializers.BooleanField()
    handoff = HandoffShape(required=False, help_text="At the desk.")


class ConversationPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ConversationShape(many=True)


FIRST_MESSAGE = {
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"text": {"type": "string"}, "cmid": {"type": "string"}, "action": {"type": "string"}},
            "required": ["text"],
        },
        {"type": "null"},
    ]
}


@extend_schema_field(FIRST_MESSAGE)
class FirstMessage(serializers.Field):
    """A text, or `{text, cmid?, action?}`; looked at by the verb."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class ConversationInput(serializers.Serializer):
    title = Text(required=False, allow_null=True, allow_blank=True, max_length=settings.TITLE_MAX_LENGTH)
    assistant = Text(required=False, allow_null=True, max_length=64)
    metadata = serializers.DictField(required=False)
    members = MemberInput(many=True, required=False)
    template = Text(required=False, allow_null=True, max_length=64, help_text="Slug or id.")
    inputs = serializers.DictField(required=False, allow_null=True, help_text="What the template asks for.")
    message = FirstMessage(required=False, allow_null=True)
    temporary = serializers.BooleanField(required=False, help_text="Erased after TEMPORARY_HOURS.")


class ConversationChange(serializers.Serializer):
    title = Text(required=False, allow_null=True, allow_blank=True, max_length=settings.TITLE_MAX_LENGTH)
    status = Text(required=False, max_length=16)
    assistant = Text(required=False, allow_null=True, max_length=64)
    metadata = serializers.DictField(required=False)
    tags = serializers.ListField(child=Text(max_length=50), required=False)


class ActorShape(serializers.Serializer):
    kind = serializers.ChoiceField(("user", "assistant", "agent", "system"))
    id = serializers.CharField()
    name = serializers.CharField()
    imported = serializers.BooleanField(required=False, help_text="There, and true, where it is a label from a file.")


class EventShape(serializers.Serializer):
    type = serializers.CharField()
    conversation = serializers.UUIDField()
    seq = serializers.IntegerField()
    id = serializers.UUIDField()
    actor = ActorShape()
    at = serializers.DateTimeField()
    cmid = serializers.CharField(required=False)
    data = serializers.DictField()  # type: ignore[assignment]


class EventPage(serializers.Serializer):
    results = EventShape(many=True)
    epoch = serializers.UUIDField()
    head = serializers.IntegerField()
    next = serializers.IntegerField(allow_null=True, help_text="`after_seq` of the next page.")


class Author(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    imported = serializers.BooleanField(required=False, help_text="There, and true, where it is a label from a file.")


class VersionShape(serializers.Serializer):
    seq = serializers.IntegerField()
    message = serializers.UUIDField()
    selected = serializers.BooleanField()
    at = serializers.DateTimeField()


class FeedbackShape(serializers.Serializer):
    rating = serializers.ChoiceField(Feedback.Rating.choices, allow_null=True)
    solved = serializers.BooleanField()
    copied = serializers.BooleanField()
    comment = serializers.CharField(allow_null=True)


class PartShape(serializers.Serializer):
    type = serializers.CharField(help_text="`file`, or a type of one's own, with `value` and `html`.")
    id = serializers.UUIDField(required=False)
    name = serializers.CharField(required=False, allow_null=True)
    mime = serializers.CharField(required=False, allow_null=True, help_text="What is in it, not what the client said.")
    size = serializers.IntegerField(required=False, allow_null=True, help_text="Bytes.")
    url = serializers.CharField(required=False, allow_null=True, help_text="Of its content; null where it is gone.")
    value = serializers.JSONField(required=False)
    html = serializers.CharField(required=False, allow_blank=True)


class PartInput(serializers.Serializer):
    type = Text(max_length=64)
    id = serializers.UUIDField(required=False, allow_null=True)
    value = serializers.JSONField(required=False)


class MessageShape(serializers.Serializer):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    seq = serializers.IntegerField()
    changed_seq = serializers.IntegerField(help_text="Of the last event that changed it: `base_seq` of an edit.")
    place = serializers.IntegerField(help_text="The seq at which it is shown: that of the first of its alternatives.")
    role = serializers.ChoiceField(Message.Role.choices)
    author = Author()
    status = serializers.ChoiceField(Message.Status.choices)
    text = serializers.CharField(allow_blank=True)
    html = serializers.CharField(allow_blank=True)
    parts = PartShape(many=True)
    run = serializers.UUIDField(allow_null=True)
    reply_to = serializers.UUIDField(allow_null=True)
    branch_of = serializers.UUIDField(allow_null=True)
    selected = serializers.BooleanField()
    versions = VersionShape(many=True)
    tokens = serializers.IntegerField(allow_null=True)
    pinned = serializers.BooleanField()
    redacted = serializers.BooleanField()
    sensitive = serializers.BooleanField()
    feedback = FeedbackShape(help_text="Of whoever asks.")
    extra = serializers.DictField()
    seen_seq = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class MessagePage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = MessageShape(many=True)


class MessageInput(serializers.Serializer):
    text = Text(trim_whitespace=False, allow_blank=True, help_text="May be empty where there are `parts`.")
    parts = PartInput(many=True, required=False, help_text="Files that were uploaded into this conversation.")
    cmid = Text(required=False, max_length=128, trim_whitespace=False)
    action = Text(required=False, max_length=64)
    assistant = Text(required=False, allow_null=True, max_length=64)
    reply_to = serializers.UUIDField(required=False, allow_null=True)
    on_busy = Text(required=False, max_length=16)
    seen_seq = serializers.IntegerField(required=False, min_value=0, max_value=2**62)


class FileShape(serializers.Serializer):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.CharField(help_text="What is in it, not what the client said.")
    size = serializers.IntegerField(help_text="Bytes.")
    message = serializers.UUIDField(allow_null=True, help_text="The message that carries it.")
    tokens = serializers.IntegerField(allow_null=True, help_text="That it takes in a context, told as text.")
    created_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="Of its content.")


class FilePage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = FileShape(many=True)


class TeamShape(serializers.Serializer):
    name = serializers.CharField()
    id = serializers.UUIDField(help_text="Of the first run of the team.")
    began = serializers.IntegerField(help_text="The seq of what it was asked with.")
    by = serializers.UUIDField(allow_null=True, help_text="The user who asked.")
    turn = serializers.IntegerField(help_text="0: only the first speaker is named.")
    tries = serializers.IntegerField()
    next = serializers.CharField(required=False, allow_null=True, help_text="Who speaks next; null: it has ended.")
    why = serializers.CharField(required=False)


class RunShape(serializers.Serializer):
    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    message = serializers.UUIDField(allow_null=True)
    reply_to = serializers.UUIDField()
    assistant = serializers.CharField()
    version = serializers.CharField(allow_null=True, help_text="Of the assistant's definition, once the run began.")
    team = TeamShape(allow_null=True, help_text="Where it is a turn of a team.")
    status = serializers.ChoiceField(Run.Status.choices)
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    steps = serializers.ListField(child=serializers.DictField())
    usage = serializers.DictField(allow_null=True)
    error = serializers.DictField(allow_null=True)


class Sent(serializers.Serializer):
    event = EventShape()
    message = MessageShape()
    run = RunShape(required=False)
    dup = serializers.BooleanField()


class HitShape(serializers.Serializer):
    conversation = serializers.UUIDField()
    message = serializers.UUIDField()
    seq = serializers.IntegerField()
    score = serializers.FloatField()
    snippet = serializers.CharField(allow_blank=True)
    highlights = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Places in `snippet`, `[start, end]` in code points.",
    )


class SearchPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = HitShape(many=True)
