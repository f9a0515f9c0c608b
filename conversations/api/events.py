"""The log over HTTP: in pages, or live as server-sent events."""

from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.http import integer, page_size
from conversations import cursors, selectors
from conversations.api.base import View
from conversations.api.renderers import EventStreamRenderer, FastJSONRenderer
from conversations.api.serializers import EventPage
from conversations.api.streaming import event_stream
from conversations.cursors import Cursor
from conversations.permissions import Permission

PARAMETERS = [
    OpenApiParameter("after_seq", int),
    OpenApiParameter("epoch", str),
    OpenApiParameter("since", str, description="A time instead of a seq."),
    OpenApiParameter("limit", int),
    OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER),
]


class EventsView(View):
    permissions = {"GET": Permission.READ}
    renderer_classes = (FastJSONRenderer, EventStreamRenderer)

    @extend_schema(parameters=PARAMETERS, responses=EventPage)
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        """Events after a cursor, in order; with `Accept: text/event-stream` they go on live."""
        self.conversation(id)
        cursor = _cursor(request, id)
        cursors.check(cursor, id, self.user)
        if request.accepted_renderer.format == "sse":
            return event_stream(self.identity, id, cursor)
        return Response(_page(id, cursor, page_size(request)))


def _cursor(request: Request, conversation: UUID) -> Cursor:
    """Where the client is: Last-Event-ID before `after_seq` before `since`; the beginning by default."""
    last = request.headers.get("Last-Event-ID")
    if last:
        return cursors.parse_event_id(last)
    since = request.query_params.get("since")
    if since and "after_seq" not in request.query_params:
        return Cursor(None, selectors.seq_before(conversation, cursors.parse_time(since)))
    return Cursor(request.query_params.get("epoch") or None, integer(request, "after_seq", 0))


def _page(conversation: UUID, cursor: Cursor, limit: int) -> dict:
    results = selectors.events(conversation, cursor.seq, limit)
    epoch, head = selectors.head(conversation)
    last = results[-1]["seq"] if results else cursor.seq
    return {"results": results, "epoch": epoch, "head": head, "next": last if last < head else None}
