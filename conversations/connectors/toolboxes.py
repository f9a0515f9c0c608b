"""Tools by name, as configurations have them: `add` of TOOLS or of a package, `weather/*` all of a connector (an MCP
server), `weather/forecast` one of them."""

from collections.abc import Iterable, Sequence

from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations.assistants import tools
from conversations.assistants.base import AssistantError, Tool
from conversations.connectors import directory
from conversations.connectors.kind import table

ALL = "*"


async def among(wanted: Iterable[str]) -> Sequence[Tool]:
    """The tools of these names. Raises AssistantError `tool_unknown`, and what a connector raises."""
    found: list[Tool] = []
    for name in wanted:
        connector, slash, tool = name.partition("/")
        found += await _of_connector(connector, tool) if slash else [tools.get(name)]
    return found


def check(wanted: Iterable[str]) -> None:
    """Raises Problem `invalid` for a tool that nobody offers; those of connectors are looked up when they are used."""
    unknown = [name for name in wanted if "/" not in name and name not in tools.names()]
    if unknown:
        raise Problem("invalid", errors={"config": [f"tools: there is no {name}." for name in unknown]})


async def _of_connector(name: str, wanted: str) -> list[Tool]:
    setup = await in_thread(directory.setup_of, name)
    kind = table().get(setup.kind) if setup else None
    if setup is None or kind is None:
        raise AssistantError("tool_unknown", f"There is no connector {name} here (any more).")
    offered = await kind.tools(setup)
    found = [tool for tool in offered if wanted in (ALL, tool.name)]
    if not found:
        raise AssistantError("tool_unknown", f"The connector {name} has no tool {wanted}.")
    return found
