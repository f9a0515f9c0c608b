"""Reading HTTP requests: bodies, query strings, entity tags, idempotency keys. All raise Problem `invalid`."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from chatproject.lib.errors import Problem

KEY_MAX_LENGTH = 100


def checked(shape: type[Serializer], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The body of a request, validated by `shape`; with `partial` only what was sent."""
    if not isinstance(request.data, dict):
        raise Problem("invalid", "The body must be a JSON object.")
    serializer = shape(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def integer(request: Request, name: str, default: int | None = None, *, least: int = 0, most: int = 2**62) -> Any:
    """A whole number of the query string."""
    raw = request.query_params.get(name)
    if raw is None:
        return default
    if not raw.isascii() or not raw.isdigit() or len(raw) > 19 or not least <= int(raw) <= most:
        raise Problem("invalid", errors={name: [f"A whole number from {least} to {most}."]})
    return int(raw)


def flag(request: Request, name: str) -> bool:
    """`true` or `false` of the query string; false where it is left out."""
    raw = request.query_params.get(name, "false").lower()
    if raw not in ("true", "1", "false", "0"):
        raise Problem("invalid", errors={name: ["true or false."]})
    return raw in ("true", "1")


def page_size(request: Request) -> int:
    return integer(request, "limit", settings.PAGE_SIZE, least=1, most=settings.MAX_PAGE_SIZE)


def etag(version: int) -> str:
    return f'"{version}"'


def if_match(request: Request) -> int | None:
    """The version that If-Match asks for."""
    raw = request.headers.get("If-Match", "").strip()
    if raw in ("", "*"):
        return None
    digits = raw.removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdigit():
        raise Problem("invalid", "If-Match must be the ETag of an earlier answer.")
    return int(digits[:9])


def idempotency_key(request: Request) -> str | None:
    """The header Idempotency-Key."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and (not 0 < len(key) <= KEY_MAX_LENGTH or not key.isprintable()):
        raise Problem("invalid", f"Idempotency-Key is printable text of 1 to {KEY_MAX_LENGTH} characters.")
    return key
