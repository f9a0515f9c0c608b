"""Routes of one message: its text and versions, pins, alternatives, feedback."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.errors import Problem
from chatproject.lib.http import checked, etag, if_match, integer
from conversations import selectors
from conversations.api.base import View, attempt, write_once
from conversations.api.messages import answered
from conversations.api.renderers import EventStreamRenderer, FastJSONRenderer
from conversations.api.revision_shapes import FeedbackInput, MessageChange, PinInput, RegenerateInput, VersionPage
from conversations.api.serializers import FeedbackShape, MessageShape, Sent
from conversations.appends import Committed
from conversations.permissions import Permission
from conversations.services import branches, feedback, revisions
from conversations.services.revisions import Precondition

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)
Verb = Callable[[str | None], "Future[Committed]"]


class OneMessage(View):
    """What the routes share: the message as it is now, and writing once."""

    def write(self, request: Request, route: str, message: UUID, verb: Verb, cmid: str | None = None) -> Committed:
        return write_once(request, verb, f"{request.method} {route} {message}", cmid)

    def answer(self, conversation: UUID, message: UUID) -> Response:
        found = selectors.message(conversation, message, self.user)
        return Response(found, headers={"ETag": etag(found["changed_seq"])})


class MessageView(OneMessage):
    permissions = {"GET": Permission.READ, "PATCH": Permission.SEND, "DELETE": Permission.SEND}

    @extend_schema(responses=MessageShape)
    def get(self, request: Request, id: UUID, message: UUID) -> Response:
        """One message; its ETag is for If-Match."""
        self.conversation(id)
        return self.answer(id, message)

    @extend_schema(request=MessageChange, responses=MessageShape, parameters=[IF_MATCH])
    def patch(self, request: Request, id: UUID, message: UUID) -> Response:
        """Give your own message another text; with If-Match or `base_seq` only if nobody changed it since (412
        with the current `message` otherwise)."""
        self.conversation(id)
        given = checked(MessageChange, request)
        condition = Precondition(if_match(request), given.get("base_seq"))

        def edit(cmid: str | None) -> Any:
            return revisions.edit(
                user=self.user, conversation=id, message=message, text=given["text"], precondition=condition, cmid=cmid
            )

        self._unless_stale(request, id, message, edit)
        return self.answer(id, message)

    @extend_schema(responses={204: None}, parameters=[IF_MATCH])
    def delete(self, request: Request, id: UUID, message: UUID) -> Response:
        """Show a message no longer: your own, an assistant's as editor, any as owner."""
        self.conversation(id)
        condition = Precondition(if_match(request))

        def delete(cmid: str | None) -> Any:
            return revisions.delete(user=self.user, conversation=id, message=message, precondition=condition, cmid=cmid)

        self._unless_stale(request, id, message, delete)
        return Response(status=204)

    def _unless_stale(self, request: Request, conversation: UUID, message: UUID, verb: Verb) -> None:
        """Raises Problem `stale` with the current `message`."""
        try:
            self.write(request, "message", message, verb)
        except Problem as problem:
            if problem.code.name == "stale":
                problem.extra["message"] = selectors.message(conversation, message, self.user)
            raise


class VersionsView(OneMessage):
    permissions = {"GET": Permission.READ}

    @extend_schema(operation_id="v1_conversations_messages_versions_list", responses=VersionPage)
    def get(self, request: Request, id: UUID, message: UUID) -> Response:
        """The texts that a message had, and its alternatives."""
        self.conversation(id)
        return Response({"next": None, "previous": None, "results": selectors.versions(id, message)})


class PinView(OneMessage):
    permissions = {"PUT": Permission.SEND}

    @extend_schema(request=PinInput, responses=MessageShape)
    def put(self, request: Request, id: UUID, message: UUID) -> Response:
        """Keep a message in every context, or no longer."""
        self.conversation(id)
        on = checked(PinInput, request)["on"]

        def pin(cmid: str | None) -> Any:
            return revisions.pin(user=self.user, conversation=id, message=message, on=on, cmid=cmid)

        self.write(request, "pin", message, pin)
        return self.answer(id, message)


class SelectView(OneMessage):
    permissions = {"PUT": Permission.SEND, "POST": Permission.SEND}

    @extend_schema(request=None, responses=MessageShape)
    def put(self, request: Request, id: UUID, message: UUID) -> Response:
        """Choose this one of several answers."""
        self.conversation(id)

        def select(cmid: str | None) -> Any:
            return branches.select(user=self.user, conversation=id, message=message, cmid=cmid)

        self.write(request, "select", message, select)
        return self.answer(id, message)

    @extend_schema(request=None, responses=MessageShape)
    def post(self, request: Request, id: UUID, message: UUID) -> Response:
        """The same as PUT."""
        return self.put(request, id, message)


class RegenerateView(OneMessage):
    permissions = {"POST": Permission.SEND}
    renderer_classes = (FastJSONRenderer, EventStreamRenderer)

    @extend_schema(request=RegenerateInput, responses={201: Sent}, parameters=[OpenApiParameter("wait", int)])
    def post(self, request: Request, id: UUID, message: UUID) -> HttpResponseBase:
        """Another answer beside the one that this is, or that it has; `message` of what comes back is the question.

        `wait` and text/event-stream as for a new message.
        """
        self.conversation(id)
        wait = integer(request, "wait", 0, most=settings.WAIT_MAX_SECONDS)
        given = checked(RegenerateInput, request)

        def regenerate(cmid: str | None) -> Any:
            return branches.regenerate(user=self.user, conversation=id, message=message, cmid=cmid, **given)

        again = attempt(self, request, f"POST regenerate {message}", id)
        done = self.write(request, "regenerate", message, regenerate, again)
        return answered(self, request, done, wait)


class FeedbackView(OneMessage):
    permissions = {"PUT": Permission.RATE}

    @extend_schema(request=FeedbackInput, responses=FeedbackShape)
    def put(self, request: Request, id: UUID, message: UUID) -> Response:
        """Say what you think of a message; what is left out stays as it was."""
        self.conversation(id)
        changes = checked(FeedbackInput, request)

        def give(cmid: str | None) -> Any:
            return feedback.give(user=self.user, conversation=id, message=message, changes=changes, cmid=cmid)

        self.write(request, "feedback", message, give)
        return Response(selectors.message(id, message, self.user)["feedback"])
