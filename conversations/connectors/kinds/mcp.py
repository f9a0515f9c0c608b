"""mcp: an MCP server, by the official SDK: streamable HTTP, or a command that speaks over its standard streams.

Its tools become tools of models (`tools: ["name/*"]`); as an assistant it calls one of them with the question.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from subprocess import DEVNULL
from typing import Any, TextIO, cast

import httpx2 as httpx
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult
from mcp.types import Tool as Described

from chatproject.lib import outgoing
from chatproject.lib.errors import Problem
from conversations.assistants.base import Assistant, AssistantError, Tool, Transient, Turn
from conversations.assistants.isolation import limits
from conversations.connectors.kind import Json, Kind
from conversations.connectors.setup import Setup

# What a tool gives is told to a model; more than this is cut.
RESULT_MAX_LENGTH = 100_000
SCHEMA: Json = {
    "properties": {
        "url": {"type": "string", "maxLength": 500},
        "command": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "string", "maxLength": 1000}},
        "environment": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 1000}},
        "tool": {"type": "string", "maxLength": 128},
        "argument": {"type": "string", "maxLength": 128},
        "approval": {"enum": ["writing", "always", "never"]},
    },
    "oneOf": [{"required": ["url"]}, {"required": ["command"]}],
}


@asynccontextmanager
async def connected(setup: Setup) -> AsyncIterator[Client]:
    """A session with the server. Raises AssistantError `connector_unreachable`, `connector_error`."""
    bounds = limits.of(setup.config.get("limits", {}))
    try:
        async with (
            _transport(setup, bounds) as transport,
            Client(transport, read_timeout_seconds=bounds.stall_seconds) as client,
        ):
            yield client
    except BaseException as error:
        ours = _as_ours(error)
        if ours is error:
            raise
        raise ours from error


@asynccontextmanager
async def _transport(setup: Setup, bounds: limits.Limits) -> AsyncIterator[Any]:
    if "command" in setup.config:
        yield stdio_client(_parameters(setup), cast("TextIO", DEVNULL))  # what it says there goes nowhere
        return
    token = setup.secret("token")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    timeout = httpx.Timeout(bounds.stall_seconds, connect=bounds.connect_seconds)
    seconds = bounds.total_seconds or 24 * 3600
    async with outgoing.async_client(seconds=seconds, headers=headers) as http:
        http.timeout = timeout
        yield streamable_http_client(setup.config["url"], http_client=http)


def _parameters(setup: Setup) -> StdioServerParameters:
    """The SDK gives a command its own environment: of ours only PATH, HOME and the like."""
    command, *arguments = setup.config["command"]
    given = {**setup.config.get("environment", {})}
    if setup.secret("token"):
        given["MCP_TOKEN"] = setup.secret("token")
    return StdioServerParameters(command=command, args=arguments, env=given)


def _as_ours(error: BaseException) -> BaseException:
    """What the SDK raises, often in groups, as errors of assistants; what is none of its is left as it is."""
    leaves = list(_leaves(error))
    for leaf in leaves:
        if isinstance(leaf, AssistantError | Problem) or not isinstance(leaf, Exception):
            return leaf
    for leaf in leaves:
        if isinstance(leaf, MCPError):
            return AssistantError("connector_error", f"The server answered with an error: {str(leaf)[:200]}")
        if isinstance(leaf, outgoing.Refused):
            return AssistantError("connector_refused", str(leaf))
        if isinstance(leaf, httpx.HTTPStatusError):
            return AssistantError("connector_error", f"The server answered with status {leaf.response.status_code}.")
    return Transient("connector_unreachable", "The server cannot be reached.")


def _leaves(error: BaseException) -> Sequence[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]


@dataclass
class ServerTool:
    """A tool of a server, as one of ours."""

    setup: Setup
    name: str
    description: str
    schema: Json
    side_effects: bool

    async def call(self, turn: Turn, arguments: Any) -> Any:
        """Raises AssistantError."""
        async with connected(self.setup) as client:
            result = await client.call_tool(self.name, arguments)
        if result.is_error:
            raise AssistantError("tool_failed", _text(result)[:2000])
        return result.structured_content if result.structured_content is not None else _text(result)


async def tools(setup: Setup) -> Sequence[Tool]:
    """The tools that the server offers now. Raises AssistantError."""
    async with connected(setup) as client:
        return [_ours(setup, one) for one in (await client.list_tools()).tools]


def _ours(setup: Setup, one: Described) -> ServerTool:
    return ServerTool(setup, one.name, one.description or one.name, one.input_schema, _asks(setup, one))


def _asks(setup: Setup, one: Described) -> bool:
    """Whether a person is asked first. A server's word that a tool only reads counts, unless staff want otherwise."""
    approval = setup.config.get("approval", "writing")
    reads = bool(one.annotations and one.annotations.read_only_hint)
    return approval == "always" or (approval == "writing" and not reads)


class McpAssistant:
    """Calls one tool with the question, and says what it gives."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    async def answer(self, turn: Turn) -> None:
        """Raises AssistantError."""
        tool = await self._tool()
        question = (await turn.context()).lines[-1].text
        arguments = {self.setup.config.get("argument") or _argument(tool): question}
        async with turn.step("tool", tool.name, arguments) as step:
            if not step.done:
                if tool.side_effects and not await turn.ask("approval", {"title": tool.name}):
                    raise AssistantError("refused", "This was not allowed.")
                step.output = await tool.call(turn, arguments)
        output = step.output
        await turn.emit(output if isinstance(output, str) else _said(output))

    async def _tool(self) -> Tool:
        wanted = self.setup.config.get("tool")
        offered = await tools(self.setup)
        found = [tool for tool in offered if wanted in (None, tool.name)]
        if len(found) != 1:
            raise AssistantError("tool_unknown", "The connector must name one of the tools that its server offers.")
        return found[0]


def _argument(tool: Tool) -> str:
    """The one text that a tool must be given."""
    properties = tool.schema.get("properties", {})
    needed = [name for name in tool.schema.get("required", properties) if properties[name].get("type") == "string"]
    if not needed:
        raise AssistantError("tool_unknown", "The connector must say which argument gets the question.")
    return str(needed[0])


def _said(output: Any) -> str:
    """A result of one value is that value."""
    inner = output.get("result") if isinstance(output, dict) and len(output) == 1 else None
    return inner if isinstance(inner, str) else str(inner if inner is not None else output)


def _text(result: CallToolResult) -> str:
    """The texts of a result; other content is named by its type."""
    pieces = [getattr(one, "text", None) or f"[{one.type}]" for one in result.content]
    return "\n".join(pieces)[:RESULT_MAX_LENGTH]


def build(setup: Setup) -> Assistant:
    return McpAssistant(setup)


async def check(setup: Setup) -> str:
    """Raises AssistantError."""
    offered = await tools(setup)
    return f"{len(offered)} tools: {', '.join(tool.name for tool in offered)}"[:300]


def clean(name: str, config: Json) -> None:
    """Raises Problem `invalid`: for an address that no request would go to, and a command that the operator does not
    allow (CONNECTOR_COMMANDS)."""
    if "url" in config:
        outgoing.check_address(config["url"], "config")
    elif config["command"][0] not in settings.CONNECTOR_COMMANDS:
        raise Problem("invalid", errors={"config": ["command: the operator allows it in CONNECTOR_COMMANDS, or not."]})


KIND = Kind("mcp", _("MCP server"), SCHEMA, build, check, ("token",), clean, tools)
