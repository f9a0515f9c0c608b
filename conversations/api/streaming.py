"""Answers that stay open: the log as server-sent events. What is streamed comes from the settings EVENT_STREAM and
USER_STREAM, so that this app need not know the realtime layer."""

from collections.abc import AsyncIterator
from uuid import UUID

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.module_loading import import_string

from accounts.identities import Identity
from conversations.cursors import Cursor
from conversations.streamcursors import StreamCursor


def event_stream(
    identity: Identity, conversation: UUID, cursor: Cursor, *, until: str | None = None
) -> StreamingHttpResponse:
    """The log after `cursor`, then live; ends after the event with the id `until`, or the `run:end` of that run."""
    return _live(import_string(settings.EVENT_STREAM)(identity, conversation, cursor, until))


def user_stream(identity: Identity, cursor: StreamCursor) -> StreamingHttpResponse:
    """What happens in all conversations of a user after `cursor`, then live."""
    return _live(import_string(settings.USER_STREAM)(identity, cursor))


def _live(body: AsyncIterator[bytes]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(body, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
