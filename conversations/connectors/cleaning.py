"""Checks on what staff write into a connector. Each raises Problem `invalid`."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry

from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import clean_object
from conversations.assistants import definitions
from conversations.connectors import sealing
from conversations.connectors.kind import Kind, table
from conversations.models import Connector

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
FIELDS = ("name", "kind", "description", "enabled", "config", "secrets")
CONFIG_MAX_BYTES = 64 * 1024
SECRET_MAX_LENGTH = 8192


def fill(row: Connector, given: Mapping[str, Any]) -> None:
    """Set those of FIELDS that are given, and check the whole: configuration and kind belong together."""
    if "name" in given:
        row.name = _name(given["name"])
    if "kind" in given:
        row.kind = _kind(given["kind"]).name
    if "description" in given:
        row.description = _line(given["description"])
    row.enabled = bool(given.get("enabled", row.enabled))
    row.config = given.get("config", row.config)
    kind = _kind(row.kind)
    check_config(kind, row.name, row.config)
    if given.get("secrets"):
        row.secrets = sealing.seal(_secrets(kind, sealing.unseal(row.secrets, row.id), given["secrets"]), row.id)


def check_config(kind: Kind, name: str, config: Any) -> None:
    """Raises Problem `invalid` unless this is a configuration of its kind, for a connector of this name."""
    clean_object("config", config, CONFIG_MAX_BYTES)
    validator = Draft202012Validator(kind.whole_schema, registry=Registry())
    errors = list(islice(validator.iter_errors(config), 20))
    if errors:
        found = [f"{'.'.join(map(str, error.path)) or 'config'}: {error.message[:200]}" for error in errors]
        raise Problem("invalid", errors={"config": found})
    kind.clean(name, config)


def _secrets(kind: Kind, before: sealing.Secrets, given: Any) -> sealing.Secrets:
    """What there was, with what is given instead; null takes one away."""
    unknown = [name for name in given if name not in kind.secrets] if isinstance(given, dict) else [given]
    if unknown or not all(value is None or _is_secret(value) for value in given.values()):
        named = ", ".join(kind.secrets) or "none"
        raise Problem("invalid", errors={"secrets": [f"Texts or null, by name; of this kind: {named}."]})
    merged = {**before, **given}
    return {name: value for name, value in merged.items() if value}


def _is_secret(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= SECRET_MAX_LENGTH and value.isprintable()


def _name(name: Any) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Problem("invalid", errors={"name": ["Small letters, digits, - and _, 64 at most."]})
    if name in definitions.names():
        raise Problem("invalid", errors={"name": ["An assistant of the settings has this name."]})
    return name


def _kind(name: Any) -> Kind:
    if not isinstance(name, str) or name not in table():
        raise Problem("invalid", errors={"kind": [f"One of {', '.join(table())}."]})
    return table()[name]


def _line(text: Any) -> str:
    if not isinstance(text, str) or len(text) > 200 or not text.isprintable():
        raise Problem("invalid", errors={"description": ["Printable text of at most 200 characters."]})
    return text.strip()
