"""A template filled in for one conversation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from conversations.models import Template
from conversations.templating import inputs, texts, variables
from conversations.templating.inputs import Values


@dataclass(frozen=True)
class Filled:
    """What a conversation begins with; `origin` says from which version of which template."""

    origin: Mapping[str, Any]
    title: str | None
    assistant: str | None
    system: Sequence[str]
    pinned: Sequence[str]
    metadata: dict[str, Any]
    tags: list[str]


def filled(row: Template, given: Any) -> Filled:
    """`row` with what was given for its variables. Raises Problem `invalid` with the errors of each."""
    return with_values(row, inputs.clean(variables.of(row.variables), given))


def with_values(row: Template, values: Values) -> Filled:
    """`row` with a text for each variable. A message of which nothing is left is left out."""
    source = texts.Source(row.id, row.version, tuple(texts_of(row)))

    def fill(text: str) -> str:
        return texts.fill(source, text, values)

    return Filled(
        origin={"id": str(row.id), "slug": row.slug, "version": row.version},
        title=shortened(fill(row.title)) or None,
        assistant=row.assistant,
        system=[text for text in map(fill, row.system) if text.strip()],
        pinned=[text for text in map(fill, row.pinned) if text.strip()],
        metadata=mapped(row.metadata, fill),
        tags=row.tags,
    )


def texts_of(row: Template) -> Iterator[str]:
    """Every text of a template in which names may stand."""
    yield row.title
    yield from row.system
    yield from row.pinned
    yield from leaves(row.metadata)


def leaves(value: Any) -> Iterator[str]:
    """The texts in a JSON value; keys are not among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)


def mapped(value: Any, change: Any) -> Any:
    """A JSON value with every text changed."""
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def shortened(title: str) -> str:
    """A title in one line, as long as it may be."""
    line = " ".join(title.split())
    return line if len(line) <= settings.TITLE_MAX_LENGTH else line[: settings.TITLE_MAX_LENGTH - 1] + "…"
