"""Tools that models may call: of the setting TOOLS, of installed packages, and of connectors (MCP servers)."""

from collections.abc import Iterable
from functools import cache
from importlib import metadata
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry

from conversations.assistants.base import AssistantError, Tool, Turn

GROUP = "chatproject.tools"


def names() -> list[str]:
    """Names of the tools that settings and installed packages offer."""
    return [*settings.TOOLS, *(name for name in _packaged() if name not in settings.TOOLS)]


def get(name: str) -> Tool:
    """The tool of this name. Raises AssistantError `tool_unknown`."""
    if name in settings.TOOLS:
        return _of_path(settings.TOOLS[name])
    if name in _packaged():
        return _of_package(name)
    raise AssistantError("tool_unknown", f"There is no tool {name} here (any more).")


def among(wanted: Iterable[str]) -> list[Tool]:
    """The tools of these names. Raises AssistantError `tool_unknown`."""
    return [get(name) for name in wanted]


async def call(tool: Tool, turn: Turn, arguments: Any) -> Any:
    """Call a tool with arguments that fit its schema; what a model gave may not.

    Raises AssistantError `tool_arguments`, and whatever the tool raises.
    """
    try:
        Draft202012Validator(tool.schema, registry=Registry()).validate(arguments)
    except ValidationError as error:
        raise AssistantError("tool_arguments", f"The arguments do not fit: {error.message[:300]}") from error
    return await tool.call(turn, arguments)


@cache
def _packaged() -> dict[str, metadata.EntryPoint]:
    return {found.name: found for found in metadata.entry_points(group=GROUP)}


@cache
def _of_path(path: str) -> Tool:
    made: Tool = import_string(path)()
    return made


@cache
def _of_package(name: str) -> Tool:
    made: Tool = _packaged()[name].load()()
    return made
