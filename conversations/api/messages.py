"""Routes of messages."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.http import checked, idempotency_key, integer, page_size
from chatproject.lib.ids import new_id
from conversations import epochs, selectors, waiting, wire
from conversations.api.base import View, attempt, write_once
from conversations.api.renderers import EventStreamRenderer, FastJSONRenderer
from conversations.api.serializers import MessageInput, MessagePage, Sent
from conversations.api.streaming import event_stream
from conversations.appends import Committed
from conversations.cursors import Cursor
from conversations.models import Run
from conversations.permissions import Permission
from conversations.services import messages

VERSIONS = ("selected", "all")
LIMITS = [
    *(OpenApiParameter(name, int) for name in ("before_seq", "after_seq", "limit")),
    OpenApiParameter("versions", str, enum=VERSIONS, description="`all`: answers that are not selected too."),
]


class MessagesView(View):
    permissions = {"GET": Permission.READ, "POST": Permission.SEND}
    limits = {"POST": "send"}
    renderer_classes = (FastJSONRenderer, EventStreamRenderer)

    @extend_schema(operation_id="v1_conversations_messages_list", parameters=LIMITS, responses=MessagePage)
    def get(self, request: Request, id: UUID) -> Response:
        """The newest messages in order; `next` leads to older ones. With `after_seq`: those after it."""
        self.conversation(id)
        before, after, limit = (
            integer(request, "before_seq"),
            integer(request, "after_seq"),
            page_size(request),
        )
        found = selectors.messages(
            id,
            before_seq=before,
            after_seq=after,
            limit=limit + 1,
            reader=self.user,
            alternatives=_alternatives(request),
        )
        more = len(found) > limit
        if after is not None:
            page, following = found[:limit], ("after_seq", found[limit - 1]["seq"] if more else None)
        else:
            page = found[-limit:]
            following = ("before_seq", page[0]["seq"] if more else None)
        link = replace_query_param(request.build_absolute_uri(), *following) if following[1] else None
        return Response({"next": link, "previous": None, "results": page})

    @extend_schema(request=MessageInput, responses={201: Sent}, parameters=[OpenApiParameter("wait", int)])
    def post(self, request: Request, id: UUID) -> HttpResponseBase:
        """Say something. `wait` (seconds) waits for the answer to end; text/event-stream shows it as it comes."""
        self.conversation(id)
        return say(self, request, id)


def say(view: View, request: Request, conversation: UUID) -> HttpResponseBase:
    """Write what a request says, whatever its route; the view has checked who asks."""
    wait = integer(request, "wait", 0, most=settings.WAIT_MAX_SECONDS)
    given = checked(MessageInput, request)
    cmid = given.pop("cmid", None) or attempt(view, request, f"{messages.SEND_ROUTE} {conversation}", conversation)
    given["idempotency_key"] = idempotency_key(request)

    def send(key: str | None) -> Any:
        return messages.send(user=view.user, conversation=conversation, cmid=key or str(new_id()), **given)

    done = write_once(request, send, messages.SEND_ROUTE, cmid)
    return answered(view, request, done, wait)


def _alternatives(request: Request) -> bool:
    """Whether answers that are not selected are asked for too. Raises Problem `invalid`."""
    asked = request.query_params.get("versions", "selected")
    if asked not in VERSIONS:
        raise Problem("invalid", errors={"versions": [f"One of {', '.join(VERSIONS)}."]})
    return asked == "all"


def answered(view: View, request: Request, done: Committed, wait: int) -> HttpResponseBase:
    """What a request for an answer gives: the answer as it comes, or what was stored, after `wait` seconds at most."""
    run = done.main["data"].get("run")
    if request.accepted_renderer.format == "sse":
        start = Cursor(epochs.visible(done.conversation.epoch), done.main["seq"] - 1)
        return event_stream(view.identity, done.conversation.id, start, until=run or done.main["id"])
    if run and wait:
        waiting.wait_for(UUID(run), wait, view.identity.login)
    return Response(_sent(view.user, done, run), status=201)


def _sent(user: User, done: Committed, run: str | None) -> dict[str, Any]:
    data = done.main["data"]
    row = Run.objects.get(id=run) if run else None
    message = data.get("message") or data.get("reply_to") or (row and row.reply_to)
    answer = {
        "event": done.main,
        "message": selectors.message(done.conversation.id, UUID(str(message)), user),
        "dup": done.dup,
    }
    return {**answer, "run": wire.run(row)} if row else answer
