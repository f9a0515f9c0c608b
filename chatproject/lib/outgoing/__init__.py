"""Requests to addresses that people give, kept out of our own networks: `client`, `async_client`, `check_address`."""

from chatproject.lib.outgoing.rules import Refused, check_address
from chatproject.lib.outgoing.transports import async_client, client

__all__ = ["Refused", "async_client", "check_address", "client"]
