"""The kinds of connectors: one table, of the setting CONNECTOR_KINDS."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from conversations.assistants.base import Assistant, Tool
from conversations.assistants.isolation.limits import SCHEMA as LIMITS
from conversations.connectors import sealing
from conversations.connectors.setup import Setup
from conversations.models import Connector

Json = dict[str, Any]
# What every connector may have in its configuration, whatever its kind.
COMMON = ("limits", "context")
# What every connector may say of the contexts that it is sent (context/terms.py).
CONTEXT: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "strategy": {"type": "string"},
        "max_tokens": {"type": "integer", "minimum": 64},
        "max_messages": {"type": "integer", "minimum": 1},
        "picture_tokens": {"type": "integer", "minimum": 0},
    },
}


async def no_tools(setup: Setup) -> Sequence[Tool]:
    """Of kinds that offer none."""
    return ()


@dataclass(frozen=True)
class Kind:
    """`schema` is the JSON Schema of its configuration, without what all have (`limits`, `context`); `secrets` names
    what is kept sealed. `check` says in a sentence what it found, and raises AssistantError where it does not work;
    `clean` is told name and configuration, and raises Problem for what a schema cannot say."""

    name: str
    title: Any
    schema: Json
    build: Callable[[Setup], Assistant]
    check: Callable[[Setup], Awaitable[str]]
    secrets: tuple[str, ...] = ()
    clean: Callable[[str, Json], None] = lambda name, config: None
    tools: Callable[[Setup], Awaitable[Sequence[Tool]]] = no_tools

    @property
    def whole_schema(self) -> Json:
        """What `config` must be."""
        properties = {**self.schema.get("properties", {}), "limits": LIMITS, "context": CONTEXT}
        return {"type": "object", "additionalProperties": False, **self.schema, "properties": properties}


@cache
def table() -> dict[str, Kind]:
    """Every kind by its name."""
    return {name: import_string(path) for name, path in settings.CONNECTOR_KINDS.items()}


def secrets_set(row: Connector) -> dict[str, bool]:
    """Which secrets of its kind there are."""
    kept = sealing.unseal(row.secrets, row.id)
    kind = table().get(row.kind)
    return {name: bool(kept.get(name)) for name in (kind.secrets if kind else ())}
