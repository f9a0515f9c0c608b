"""What a person may be asked, and whether an answer fits: JSON Schema (draft 2020-12), a subset without references
and patterns, which a plugin could make costly."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from jsonschema import Draft202012Validator, SchemaError
from referencing import Registry

from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import MAX_DEPTH, clean_object, depth

REFUSED = frozenset({"$ref", "$dynamicRef", "pattern", "patternProperties"})
# What a kind's schema is, unless it says more.
TYPES: dict[str, dict[str, Any]] = {
    "approval": {"type": "boolean"},
    "choice": {"enum": []},
    "form": {"type": "object"},
    "text": {"type": "string"},
}


def schema(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The schema of a question of `kind`. Raises ValueError where it cannot be asked."""
    whole = {**TYPES[kind], **given}
    if len(json.dumps(whole).encode()) > settings.STEP_MAX_BYTES or depth(whole) > MAX_DEPTH:
        raise ValueError("the schema is too large")
    if REFUSED & set(_keys(whole)):
        raise ValueError(f"a schema has none of {', '.join(sorted(REFUSED))}")
    if kind == "choice" and not whole["enum"]:
        raise ValueError("a choice has an `enum` of what can be chosen")
    try:
        Draft202012Validator.check_schema(whole)
    except SchemaError as error:
        raise ValueError(f"this is no JSON Schema: {error.message[:200]}") from error
    return whole


def check_value(value: Any) -> None:
    """Raise Problem `invalid` or `too_large` for what cannot be stored."""
    clean_object("value", {"value": value}, settings.STEP_MAX_BYTES)


def check(value: Any, asked: dict[str, Any]) -> None:
    """Raise Problem `invalid` unless `value` is what the schema `asked` for."""
    validator = Draft202012Validator(asked, registry=Registry())
    errors = list(islice(validator.iter_errors(value), 20))
    if errors:
        found = [f"{'.'.join(map(str, error.path)) or 'value'}: {error.message[:200]}" for error in errors]
        raise Problem("invalid", errors={"value": found})


def _keys(value: Any) -> Iterator[str]:
    """The keywords of a schema, at any depth; names of properties are none."""
    if isinstance(value, dict):
        yield from value
        for name, inner in value.items():
            yield from _keys(list(inner.values()) if name == "properties" and isinstance(inner, dict) else inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
