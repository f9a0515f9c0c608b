"""What `send` does, by the name in `action`: the one table, with the permission beside each.

Its entries come from the setting ACTIONS, from entry points of the group `chatproject.actions`, and from `register`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.appends import Decision, Draft, State
from conversations.assistants.base import AssistantError, Turn
from conversations.permissions import Permission

DEFAULT = "chat"
GROUP = "chatproject.actions"


@dataclass(frozen=True)
class Sending:
    """A message on its way in. `message` is its `message:new`, which asks for no answer yet; `assistant` who was asked
    by name, `policy` what becomes of unfinished answers (services/busy.py), `ahead` how many events the same commit has
    in front of what the action writes."""

    user: User
    message: Draft
    assistant: str | None
    policy: str
    ahead: int = 0


@dataclass(frozen=True)
class Action:
    """`decide` says under the conversation's lock what is written; without it a worker answers, by `handler`.

    Both may raise AssistantError, `decide` also Problem: whoever sent is told, and a run that had begun ends as
    failed. `text`: whether there must be one.
    """

    permission: Permission
    description: str
    decide: Callable[[State, Sending], Decision] | None = None
    handler: Callable[[Turn], Awaitable[None]] | None = None
    text: bool = True


_registered: dict[str, Action] = {}


def register(name: str, action: Action) -> None:
    """Add an action, or put it in the place of another."""
    _registered[name] = action
    table.cache_clear()


@cache
def table() -> dict[str, Action]:
    """Every action by its name; what code registers stands above settings, these above entry points."""
    found: dict[str, Callable[[], Action]] = {one.name: one.load for one in entry_points(group=GROUP)}
    found |= {name: partial(import_string, path) for name, path in settings.ACTIONS.items()}
    return {name: load() for name, load in found.items()} | _registered


def get(name: Any) -> tuple[str, Action]:
    """The action of this name, or the usual one. Raises Problem `invalid`, which names those that there are."""
    wanted = name or DEFAULT
    if not isinstance(wanted, str) or wanted not in table():
        raise Problem("invalid", errors={"action": [f"One of {', '.join(sorted(table()))}."]})
    return wanted, table()[wanted]


def decided(action: Action, state: State, sending: Sending) -> Decision:
    """What the action writes. Raises Problem, also for what it refuses as an AssistantError: `invalid`."""
    assert action.decide
    try:
        return action.decide(state, sending)
    except AssistantError as error:
        raise Problem("invalid", error.message, extra={"reason": error.code}) from error


def handler(name: str) -> Callable[[Turn], Awaitable[None]] | None:
    """Who answers the action `name` in a worker; None where no action has its own answers under this name."""
    found = table().get(name)
    return found.handler if found else None
