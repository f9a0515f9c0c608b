"""JSON in: strict UTF-8, no NaN, no lone surrogates, bounded."""

from typing import Any

import msgspec
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import MAX_DEPTH, MAX_KEYS, is_bounded


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The decoded body. Raises ParseError for anything that is not JSON by RFC 8259, Problem `too_large`."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise Problem("too_large", f"A body has at most {limit} bytes.")
        try:
            body = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error
        if not is_bounded(body):
            raise ParseError(f"A body has at most {MAX_DEPTH} levels, and {MAX_KEYS} keys in an object.")
        return body
