"""Routes of contexts: what an assistant would be sent, and what a run was."""

from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.http import integer
from conversations import selectors
from conversations.api.base import View
from conversations.context import building, reports, terms
from conversations.permissions import Permission

ROLES = ("system", "user", "assistant", "agent", "tool")


class CallShape(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField(required=False)
    arguments = serializers.CharField(required=False, allow_blank=True)


class ContextMessage(serializers.Serializer):
    role = serializers.ChoiceField(ROLES)
    text = serializers.CharField(allow_blank=True)
    tokens = serializers.IntegerField(help_text="With the overhead of the chat format.")
    seq = serializers.IntegerField(required=False, help_text="Of the message; none of prompts and summaries.")
    cut = serializers.BooleanField(required=False, help_text="There where the end was cut off.")
    call = CallShape(required=False, help_text="A tool call; with role `tool`, the one whose result this is.")


class LeftOut(serializers.Serializer):
    seq = serializers.IntegerField()
    reason = serializers.CharField()


class Summarised(serializers.Serializer):
    from_seq = serializers.IntegerField()
    to_seq = serializers.IntegerField()
    tokens = serializers.IntegerField()


class PictureShape(serializers.Serializer):
    file = serializers.UUIDField(help_text="Of the message that is answered.")
    tokens = serializers.IntegerField()


class ContextShape(serializers.Serializer):
    model = serializers.CharField(allow_null=True)
    strategy = serializers.CharField(allow_null=True)
    max_tokens = serializers.IntegerField(allow_null=True)
    max_messages = serializers.IntegerField(allow_null=True)
    tokens = serializers.IntegerField()
    messages = ContextMessage(many=True)
    left_out = LeftOut(many=True)
    left_out_before = serializers.IntegerField(allow_null=True, help_text="What is older is not listed in `left_out`.")
    summarised = Summarised(many=True)
    pictures = PictureShape(many=True)


PARAMETERS = [
    OpenApiParameter("model", str, description="Whose tokens are counted."),
    OpenApiParameter("max_tokens", int),
    OpenApiParameter("max_messages", int),
    OpenApiParameter("strategy", str, enum=list(settings.CONTEXT_STRATEGIES)),
]


class ContextView(View):
    permissions = {"GET": Permission.READ}

    @extend_schema(parameters=PARAMETERS, responses=ContextShape)
    def get(self, request: Request, id: UUID) -> Response:
        """What the conversation's assistant would be sent now, and what would be left out and why."""
        row = self.conversation(id)
        wanted = terms.for_assistant(
            row.assistant,
            model=request.query_params.get("model"),
            strategy=request.query_params.get("strategy"),
            max_tokens=integer(request, "max_tokens"),
            max_messages=integer(request, "max_messages"),
        )
        return Response(building.build(id, wanted).public())


class RunContextView(View):
    permissions = {"GET": Permission.READ}

    @extend_schema(responses=ContextShape)
    def get(self, request: Request, id: UUID) -> Response:
        """What this run was sent, with the texts of then; no messages where it was sent nothing (yet)."""
        return Response(reports.public(selectors.run_for(self.user, id, self.permissions["GET"])))
