"""Assistants, as they are offered."""

from typing import Any

from conversations.assistants import buildstates
from conversations.assistants.definitions import Definition

Json = dict[str, Any]


def assistant(found: Definition) -> Json:
    """An assistant; `state` says how far its building is in the workers."""
    about = {"name": found.name, "description": found.description, "version": found.version, "kind": found.kind}
    return {**about, "state": buildstates.of(found.name, found.version)["state"]}
