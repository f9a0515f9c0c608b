"""How long and how often an assistant may be called: settings, and what its connector says instead."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Limits:
    """Seconds, and numbers of calls in one worker process. 0 of `total_seconds` is as long as it takes."""

    connect_seconds: float
    first_token_seconds: float
    stall_seconds: float
    total_seconds: float
    throttle_seconds: float
    concurrency: int
    queue: int
    attempts: int


def of(given: Mapping[str, Any]) -> Limits:
    """The limits of an assistant; `given` stands in the place of settings."""
    usual = {
        "connect_seconds": settings.PROVIDER_CONNECT_SECONDS,
        "first_token_seconds": settings.ASSISTANT_FIRST_TOKEN_SECONDS,
        "stall_seconds": settings.ASSISTANT_STALL_SECONDS,
        "total_seconds": settings.ASSISTANT_TOTAL_SECONDS,
        "throttle_seconds": settings.PROVIDER_WAIT_SECONDS,
        "concurrency": settings.ASSISTANT_CONCURRENCY,
        "queue": settings.ASSISTANT_QUEUE,
        "attempts": settings.PROVIDER_ATTEMPTS,
    }
    return Limits(**{name: given.get(name, value) for name, value in usual.items()})


# Of connectors, as a JSON Schema.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        one.name: {"type": "integer", "minimum": 0, "maximum": 10_000}
        if one.type is int
        else {"type": "number", "minimum": 0, "maximum": 3600}
        for one in fields(Limits)
    },
}
for _name in ("concurrency", "attempts"):
    SCHEMA["properties"][_name]["minimum"] = 1
for _name in ("connect_seconds", "first_token_seconds", "stall_seconds"):
    SCHEMA["properties"][_name]["exclusiveMinimum"] = 0
