"""Routes about assistants that have others answer."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from accounts.identities import Scope
from chatproject.lib.errors import Problem
from chatproject.lib.fields import Text
from chatproject.lib.http import checked
from conversations.assistants.composing import trying
from conversations.assistants.composing.routing import Question
from conversations.services.validation import clean_metadata, clean_text


class RouteInput(serializers.Serializer):
    text = Text(trim_whitespace=False)
    metadata = serializers.DictField(required=False, help_text="Of the conversation that is imagined.")
    template = Text(required=False, allow_blank=True, max_length=64, help_text="Slug.")
    ask = serializers.BooleanField(required=False, help_text="Ask the models that rules want to have asked.")


class RuleShape(serializers.Serializer):
    rule = serializers.CharField()
    priority = serializers.IntegerField()
    when = serializers.CharField()
    to = serializers.CharField()
    matched = serializers.BooleanField(allow_null=True, help_text="null: not looked at.")
    why = serializers.CharField(allow_blank=True)


class RouteShape(serializers.Serializer):
    to = serializers.CharField(allow_null=True)
    why = serializers.CharField()
    asks = serializers.CharField(allow_null=True, help_text="Who would have to be asked first.")
    language = serializers.CharField(allow_null=True)
    rules = RuleShape(many=True)


class RouteView(LoggedIn):
    scopes = {"POST": Scope.ADMIN}
    limits = {"POST": "change"}

    @extend_schema(request=RouteInput, responses=RouteShape)
    def post(self, request: Request, name: str) -> Response:
        """Which assistant a router would have answer a text, and why; for staff. Nothing is written."""
        if not self.user.is_staff:
            raise Problem("forbidden", "Routers are tried out by staff.")
        given: dict[str, Any] = checked(RouteInput, request)
        question = Question(
            clean_text(given["text"]), clean_metadata(given.get("metadata") or {}), given.get("template", "")
        )
        return Response(trying.dry_run(name, question, ask=given.get("ask", False)))
