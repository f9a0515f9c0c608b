"""The table of commands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.identities import Scope
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from conversations.permissions import Permission
from realtime.protocol import ClientFrame

# What waits for nothing is a plain function, and done when it returns; the others are coroutines.
Handler = Callable[[Any, Any], Awaitable[None] | None]


@dataclass(frozen=True)
class Command:
    """`permission` is what a member's role must allow (None: no conversation is concerned). Frames of one
    client are handled one after the other, but those `at_once`, whose handlers are plain functions. `limit` is what
    a frame counts for, and when it is refused (docs/limits.md); `scope` is what an API key needs."""

    handler: Handler
    permission: Permission | None
    at_once: bool
    limit: str | None
    scope: Scope | None


# What takes the scope `read`; everything else that concerns a conversation takes `write`.
READS = (Permission.READ,)
COMMANDS: dict[type[ClientFrame], Command] = {}


def command(
    frame: type[ClientFrame], *, permission: Permission | None, at_once: bool = False, limit: str | None = None
) -> Callable[[Handler], Handler]:
    """Register the handler of one frame."""
    scope = None if permission is None else Scope.READ if permission in READS else Scope.WRITE

    def register(handler: Handler) -> Handler:
        COMMANDS[frame] = Command(handler, permission, at_once, limit, scope)
        return handler

    return register


def conversation_id(text: str) -> UUID:
    """The id in a frame. Raises Problem `not_found`, as for any conversation that is not there."""
    found = parse_id(text)
    if found is None:
        raise Problem("not_found")
    return found
