"""What messages carry beside text and files: parts of types of one's own, `{type: name, value}`.

Types come from the setting MESSAGE_TYPES, from entry points of the group `chatproject.message_types`, and from
`register`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.module_loading import import_string

from chatproject.lib.errors import Problem
from conversations import markdown, questions

Json = dict[str, Any]
GROUP = "chatproject.message_types"
FILE = "file"
# Parts of such types in one message.
MOST = 5


@dataclass(frozen=True)
class MessageType:
    """`schema` is a JSON Schema of the value. `template` is a Django template that is told `value`; what it gives is
    sanitised as Markdown is. `text` says the same in words: it becomes part of the message's text, for clients that do
    not know the type, for assistants, for search and for exports."""

    schema: Json
    template: str
    text: Callable[[Any], str]


_registered: dict[str, MessageType] = {}


def register(name: str, type_: MessageType) -> None:
    """Add a type, or put it in the place of another."""
    _registered[name] = type_
    table.cache_clear()


@cache
def table() -> dict[str, MessageType]:
    """Every type by its name; what code registers stands above settings, these above entry points."""
    found: dict[str, Callable[[], MessageType]] = {one.name: one.load for one in entry_points(group=GROUP)}
    found |= {name: partial(import_string, path) for name, path in settings.MESSAGE_TYPES.items()}
    return {name: load() for name, load in found.items()} | _registered


def divided(parts: Any) -> tuple[Any, list[Json]]:
    """Of the parts of a message those that are for files, or of no form at all, and those of our types, cleaned.

    Raises Problem `invalid` for a type that there is not, or a value that does not fit; `too_large`.
    """
    if not isinstance(parts, list):
        return parts, []
    own = [part for part in parts if isinstance(part, dict) and part.get("type", FILE) != FILE]
    if len(own) > MOST:
        raise Problem("too_large", f"A message carries at most {MOST} parts beside its files.")
    return [part for part in parts if part not in own], [_cleaned(part) for part in own]


def _cleaned(part: Json) -> Json:
    name, value = part["type"], part.get("value")
    if not isinstance(name, str) or name not in table():
        known = ", ".join([FILE, *sorted(table())])
        raise Problem("invalid", errors={"parts": [f"The type of a part is one of {known}."]})
    try:
        questions.check_value(value)
        questions.check(value, table()[name].schema)
    except Problem as problem:
        told = [f"{name}: {text}" for texts in (problem.errors or {}).values() for text in texts]
        raise Problem(problem.code.name, problem.detail, errors={"parts": told or [name]}) from problem
    return {"type": name, "value": value}


def in_words(text: str, parts: Sequence[Json]) -> str:
    """The text of a message with what its parts say."""
    said = [table()[part["type"]].text(part["value"]) for part in parts]
    return "\n\n".join(filter(None, [text, *said]))


def shown(text: str, parts: Sequence[Json]) -> tuple[str, list[Json]]:
    """What is shown of a message as HTML: its own words, and each part by its template; in words where its type is not
    there any more, or the text was changed since."""
    if not parts:
        return markdown.render(text), []
    known = all(part["type"] in table() for part in parts)
    words = in_words("", parts) if known else ""
    if not words or not text.endswith(words):
        return markdown.render(text), [{**part, "html": ""} for part in parts]
    drawn = [{**part, "html": _drawn(part)} for part in parts]
    own = markdown.render(text.removesuffix(words).rstrip())
    return own + "".join(part["html"] for part in drawn), drawn


def _drawn(part: Json) -> str:
    return markdown.sanitised(render_to_string(table()[part["type"]].template, {"value": part["value"]}))
