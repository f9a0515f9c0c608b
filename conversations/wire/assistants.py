"""Assistants, as they are offered."""

from typing import Any

from conversations.assistants import buildstates
from conversations.assistants.definitions import Definition
from conversations.assistants.isolation import breaker

Json = dict[str, Any]


def assistant(found: Definition) -> Json:
    """An assistant; `state` says how far its building is in the workers, `breaker` whether it is
    left alone here."""
    about = {"name": found.name, "description": found.description, "version": found.version, "kind": found.kind}
    state = buildstates.of(found.name, found.version)["state"]
    return {**about, "state": state, "breaker": breaker.state(found.name)}
