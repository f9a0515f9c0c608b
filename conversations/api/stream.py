"""All of the user's conversations on one connection, as server-sent events."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.api.base import LoggedIn
from chatproject.lib.errors import Problem
from conversations import cursors, selectors
from conversations.api.renderers import EventStreamRenderer
from conversations.api.streaming import user_stream
from conversations.streamcursors import Base, StreamCursor, newest_transaction

PARAMETERS = [
    OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER, description="An `id` of this stream."),
    OpenApiParameter("after", str, description="The same, for who cannot send headers; the header counts first."),
    OpenApiParameter("since", str, description="A time instead. Without any of them the stream begins now."),
]


class StreamView(LoggedIn):
    limits = {"GET": "hello"}
    renderer_classes = (EventStreamRenderer,)

    @extend_schema(
        parameters=PARAMETERS,
        responses={(200, "text/event-stream"): OpenApiResponse(OpenApiTypes.STR, "Events as they are committed.")},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """What happens in all conversations of the caller, live, as server-sent events."""
        return user_stream(self.identity, _cursor(request))


def _cursor(request: Request) -> StreamCursor:
    """Where the client is. Raises Problem `invalid`, `resync_required`."""
    now = selectors.stream_now()
    last = request.headers.get("Last-Event-ID") or request.query_params.get("after")
    if last:
        cursor = StreamCursor.decode(last)
        _check(cursor, now)
        return cursor
    since = request.query_params.get("since")
    return StreamCursor(now.numbering, Base(since=cursors.parse_time(since))) if since else now


def _check(cursor: StreamCursor, now: StreamCursor) -> None:
    ahead = newest_transaction(cursor) > newest_transaction(now)
    reason = "epoch" if cursor.numbering != now.numbering else "ahead" if ahead else None
    if reason:
        detail = "Open the stream without a cursor, then read the conversations anew."
        raise Problem("resync_required", detail, extra={"reason": reason})
