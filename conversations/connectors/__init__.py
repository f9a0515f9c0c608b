"""What staff connect at run time: models, HTTP plugins, MCP servers, Python."""
