"""Assistants, as they are offered, and connectors, as staff made them."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations.assistants import buildstates
from conversations.assistants.definitions import Definition
from conversations.assistants.isolation import breaker
from conversations.connectors.kind import secrets_set
from conversations.models import Connector

Json = dict[str, Any]


def assistant(found: Definition) -> Json:
    """An assistant; `state` says how far its building is in the workers, `breaker` whether it is left alone here."""
    about = {"name": found.name, "description": found.description, "version": found.version, "kind": found.kind}
    state = buildstates.of(found.name, found.version)["state"]
    return {**about, "state": state, "breaker": breaker.state(found.name)}


def connector(row: Connector) -> Json:
    """A connector; of its secrets only which there are."""
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.kind,
        "description": row.description,
        "enabled": row.enabled,
        "config": row.config,
        "secrets": secrets_set(row),
        "version": row.version,
        "health": row.health,
        "health_detail": row.health_detail,
        "checked_at": rfc3339(row.checked_at),
        "state": buildstates.of(row.name, str(row.version)),
        "breaker": breaker.state(row.name),
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }
