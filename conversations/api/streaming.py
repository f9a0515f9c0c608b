"""Answers that stay open: the log as server-sent events. What is streamed comes from the settings EVENT_STREAM and
USER_STREAM, so that this app need not know the realtime layer."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
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


def _live(body: AsyncGenerator[bytes]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_without_connection(body), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _without_connection(body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """`body`, after the view's thread has given its connection to the database back: Django would keep it until the
    stream ends, and there are more streams than connections."""
    await sync_to_async(connections.close_all)()
    async with aclosing(body):
        async for piece in body:
            yield piece
