"""Assistants that are made of others: what routers, fan-outs and teams share."""
