"""Answers that stay open: the log as server-sent events. What is streamed comes from the setting EVENT_STREAM,
so that this app need not know the realtime layer."""

from uuid import UUID

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.module_loading import import_string

from accounts.models import User
from conversations.cursors import Cursor


def event_stream(user: User, conversation: UUID, cursor: Cursor, *, until: str | None = None) -> StreamingHttpResponse:
    """The log after `cursor`, then live; ends after the event with the id `until`, or the `run:end` of that run."""
    body = import_string(settings.EVENT_STREAM)(user, conversation, cursor, until)
    response = StreamingHttpResponse(body, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
