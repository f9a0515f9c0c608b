"""JSON out, and the media type under which a stream of events is asked for."""

from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer


class FastJSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)


class EventStreamRenderer(FastJSONRenderer):
    """Lets clients ask for `text/event-stream`; the stream itself is a response of its own, so what is
    rendered here is only ever an error."""

    media_type = "text/event-stream"
    format = "sse"
