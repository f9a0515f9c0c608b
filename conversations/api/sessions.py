"""Routes of sessions: visits of clients, and conversations of back ends without a socket."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from chatproject.lib.errors import Problem
from chatproject.lib.fields import Text
from chatproject.lib.http import checked
from conversations import selectors, wire
from conversations.api.base import View
from conversations.api.messages import say
from conversations.api.pagination import PAGE, ByTime
from conversations.api.renderers import EventStreamRenderer, FastJSONRenderer
from conversations.api.serializers import MessageInput, Sent
from conversations.models import Session
from conversations.permissions import Permission
from conversations.services import sessions


class SessionShape(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Session.Kind.choices)
    client_id = serializers.CharField()
    conversation = serializers.UUIDField(allow_null=True)
    data = serializers.DictField()  # type: ignore[assignment]
    started_at = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.ChoiceField(Session.Reason.choices, allow_null=True)


class SessionPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = SessionShape(many=True)


class SessionInput(serializers.Serializer):
    conversation = serializers.UUIDField(required=False, help_text="An existing one; a new one unless given.")
    assistant = Text(required=False, allow_null=True, max_length=64, help_text="Who answers in a new conversation.")
    keep = serializers.BooleanField(default=False, help_text="Otherwise a new conversation is temporary.")
    client_id = Text(required=False, max_length=128)
    data = serializers.DictField(required=False, help_text="JSON of your own.")  # type: ignore[assignment]


class SessionChange(serializers.Serializer):
    data = serializers.DictField()  # type: ignore[assignment]


class ByStart(ByTime):
    """The latest first."""

    ordering = ("-started_at", "-id")


class SessionsView(LoggedIn):
    @extend_schema(operation_id="v1_sessions_list", responses=SessionPage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """Your sessions of all kinds, the latest first."""
        pages = ByStart()
        page: list[Any] | None = pages.paginate_queryset(selectors.sessions_of(self.user), request, view=self)
        return pages.get_paginated_response([wire.session(row) for row in page or ()])

    @extend_schema(request=SessionInput, responses={201: SessionShape})
    def post(self, request: Request) -> Response:
        """Begin a session without a socket, in a conversation of its own unless one is given."""
        given = checked(SessionInput, request)
        conversation = given.pop("conversation", None)
        if conversation:
            selectors.conversation_for(self.user, conversation, Permission.SEND)
        session = sessions.begin_http(user=self.user, conversation=conversation, **given)
        return Response(wire.session(session), status=201)


class SessionView(LoggedIn):
    @extend_schema(responses=SessionShape)
    def get(self, request: Request, id: UUID) -> Response:
        """One of your sessions."""
        return Response(wire.session(selectors.session_for(self.user, id)))

    @extend_schema(request=SessionChange, responses=SessionShape)
    def patch(self, request: Request, id: UUID) -> Response:
        """Replace `data`."""
        session = selectors.session_for(self.user, id)
        changed = sessions.change_data(session=session, data=checked(SessionChange, request)["data"])
        return Response(wire.session(changed))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """End it; a socket of it is closed. The conversation stays, unless it is temporary."""
        sessions.end(session=selectors.session_for(self.user, id).id)
        return Response(status=204)


class SessionMessagesView(View):
    permissions = {"POST": Permission.SEND}
    limits = {"POST": "send"}
    renderer_classes = (FastJSONRenderer, EventStreamRenderer)

    @extend_schema(request=MessageInput, responses={201: Sent}, parameters=[OpenApiParameter("wait", int)])
    def post(self, request: Request, id: UUID) -> HttpResponseBase:
        """Say something in the session's conversation; `wait` and text/event-stream as in `messages/`."""
        session = selectors.session_for(self.user, id)
        if session.ended_at or session.conversation_id is None:
            raise Problem("conflict", "This session has ended, or has no conversation.")
        sessions.renew([session.id])
        self.conversation(session.conversation_id)
        return say(self, request, session.conversation_id)
