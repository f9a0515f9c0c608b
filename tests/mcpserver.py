"""A real MCP server by the official SDK, in a process of its own: `python tests/mcpserver.py stdio`, or
`python tests/mcpserver.py http PORT`."""

import os
import sys

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("sums")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int = 0) -> int:
    """Adds two numbers."""
    return a + b


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def shout(text: str) -> str:
    """Says it loudly."""
    return text.upper()


@server.tool()
def erase(name: str) -> str:
    """Erases something for good."""
    return f"erased {name}"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def fail(text: str) -> str:
    """Always fails."""
    raise ValueError(f"cannot {text}")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def environment(text: str) -> str:
    """Names what it has of an environment."""
    return ",".join(sorted(os.environ))


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
