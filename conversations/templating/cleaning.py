"""Checks on what staff write into a template. Each raises Problem `invalid` or `too_large`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from conversations.models import Template
from conversations.privacy.drafts import kept
from conversations.services.validation import clean_assistant, clean_metadata, clean_tags, clean_text, clean_title
from conversations.templating import filling, inputs, texts, variables

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,64}")


def fill(row: Template, given: Mapping[str, Any]) -> None:
    """Set those of FIELDS that are given, and check the whole: texts and variables belong together."""
    clean = {name: check(given[name]) for name, check in FIELDS.items() if name in given}
    for name, value in kept("template", **clean).items():
        setattr(row, name, value)
    names = {variable.name for variable in variables.of(row.variables)}
    for field, text in _texts(row):
        try:
            texts.check(text, names)
        except texts.WrongText as error:
            raise _wrong(field, str(error)) from error


def _texts(row: Template) -> list[tuple[str, str]]:
    """Field and text of all in which names may stand."""
    found = [("title", row.title)]
    found += [("system", text) for text in row.system] + [("pinned", text) for text in row.pinned]
    return [*found, *(("metadata", text) for text in filling.leaves(row.metadata))]


def _slug(slug: Any) -> str:
    if not isinstance(slug, str) or not SLUG.fullmatch(slug) or parse_id(slug):
        raise _wrong("slug", "Letters, digits, - and _, 64 at most, and no UUID.")
    return slug


def _line(field: str, limit: int, *, least: int = 0) -> Callable[[Any], str]:
    def clean(value: Any) -> str:
        if not isinstance(value, str) or not value.isprintable() or not least <= len(value.strip()) <= limit:
            raise _wrong(field, f"This is printable text of {least} to {limit} characters.")
        return value.strip()

    return clean


def _messages(field: str) -> Callable[[Any], list[str]]:
    def clean(value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > settings.TEMPLATE_MESSAGES_MAX:
            raise _wrong(field, f"A list of at most {settings.TEMPLATE_MESSAGES_MAX} texts.")
        try:
            return [clean_text(text) for text in value]
        except Problem as problem:
            sentences = (problem.errors or {}).get("text", [problem.detail])
            raise Problem(problem.code.name, errors={field: sentences}) from problem

    return clean


def _title(value: Any) -> str:
    return clean_title(value) or ""


def _variables(value: Any) -> list[dict[str, Any]]:
    found = variables.parsed(value)
    inputs.check_defaults(found)
    return list(variables.stored(found))


def _active(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("active", "This is true or false.")
    return value


def _visibility(value: Any) -> str:
    if value not in Template.Visibility.values:
        raise _wrong("visibility", f"One of {', '.join(Template.Visibility.values)}.")
    return str(value)


def _wrong(field: str, sentence: str) -> Problem:
    return Problem("invalid", errors={field: [sentence]})


FIELDS: dict[str, Callable[[Any], Any]] = {
    "slug": _slug,
    "name": _line("name", 100, least=1),
    "description": _line("description", 500),
    "title": _title,
    "assistant": clean_assistant,
    "system": _messages("system"),
    "pinned": _messages("pinned"),
    "metadata": clean_metadata,
    "tags": clean_tags,
    "variables": _variables,
    "active": _active,
    "visibility": _visibility,
}
