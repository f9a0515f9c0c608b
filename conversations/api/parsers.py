"""JSON in: strict UTF-8, no NaN, no lone surrogates, bounded depth."""

from typing import Any

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from conversations.services.validation import MAX_DEPTH, depth


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The decoded body. Raises ParseError for anything that is not JSON by RFC 8259."""
        try:
            body = msgspec.json.decode(stream.read())
        except (msgspec.DecodeError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error
        if depth(body) > MAX_DEPTH:
            raise ParseError(f"The body has more than {MAX_DEPTH} levels.")
        return body
