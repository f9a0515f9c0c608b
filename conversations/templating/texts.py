"""Texts with `{{ name }}` in them: Django's parser with nothing in it but names, compiled once per version.

There are no tags, filters, attributes or calls, so a text can say nothing but what was filled in; and what is
filled in is never looked at again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.base import FilterExpression, TextNode, Variable, VariableNode

# Templates that a process keeps compiled.
KEPT = 256


class _Names(Engine):
    """Django's engine without its tags and filters."""

    default_builtins: ClassVar[list[str]] = []


_engine = _Names(autoescape=False)


class WrongText(ValueError):
    """A text that cannot be filled in; says why."""


@dataclass(frozen=True)
class Source:
    """All texts of one version of a template. Two are the same where id and version are."""

    template: UUID
    version: int
    texts: tuple[str, ...] = field(compare=False)


@lru_cache(KEPT)
def compiled(source: Source) -> dict[str, Template]:
    """Text -> its compiled form. The key holds the version, so that no process goes on with an older one."""
    return {text: _engine.from_string(text) for text in source.texts}


def fill(source: Source, text: str, values: Mapping[str, str]) -> str:
    """`text`, one of the source's, with `values` in place of their names."""
    rendered = compiled(source)[text].render(Context(dict(values), autoescape=False))
    return rendered + ""  # a plain str, which Django's SafeString is not


def check(text: str, names: Collection[str]) -> None:
    """Raise WrongText where there is anything in braces but one of `names`."""
    try:
        nodes = _engine.from_string(text).nodelist
    except TemplateSyntaxError as error:
        raise WrongText("Only {{ name }} can be used: no tags, no filters.") from error
    for name in (_name(node) for node in nodes if not isinstance(node, TextNode)):
        if name not in names:
            raise WrongText(f"There is no variable {name!r}." if name else "Only {{ name }} can be used.")


def _name(node: object) -> str | None:
    """The name that a node stands for; None where it is anything else."""
    expression = node.filter_expression if isinstance(node, VariableNode) else None
    if not isinstance(expression, FilterExpression) or expression.filters:
        return None
    variable = expression.var
    if not isinstance(variable, Variable) or variable.translate:
        return None
    names = variable.lookups or ()
    return names[0] if len(names) == 1 else None
