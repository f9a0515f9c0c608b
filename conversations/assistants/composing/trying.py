"""Trying a router out: which assistant would get a text, and why, without a conversation."""

from typing import Any

from asgiref.sync import async_to_sync

from chatproject.lib.errors import Problem
from conversations.assistants import kinds, registry
from conversations.assistants.builtin.router import Router, shown
from conversations.assistants.composing.routing import Question

KIND = "router"


def routers() -> list[str]:
    """The names of all routers."""
    found = map(registry.find, registry.available())
    return [one.name for one in found if one and one.kind == KIND]


def dry_run(name: str, question: Question, *, ask: bool = False) -> dict[str, Any]:
    """`{to, why, asks, language, rules}`. Without `ask`, `asks` names the assistant that would have to be asked first;
    with it, it is asked, which may take a while and costs what it costs. Raises Problem `not_found`."""
    found = registry.find(name)
    if found is None or found.kind != KIND or found.config is None:
        raise Problem("not_found", "There is no router of this name.")
    router = Router(kinds.converted(KIND, found.config))
    choice = async_to_sync(router.chosen)(question)[0] if ask else router.dry(question)
    asks = None if choice.asks is None else router.config.rules[choice.asks].ask
    return {
        "to": choice.name or None,
        "why": choice.why,
        "asks": asks,
        "language": question.language or None,
        "rules": shown(router.config, choice),
    }
