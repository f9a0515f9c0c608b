"""Kinds of assistants that are made of a configuration: `{"kind": name, …}` in the setting ASSISTANTS."""

from collections.abc import Callable, Collection, Mapping
from inspect import getdoc
from typing import Any, Protocol

import msgspec
from django.conf import settings
from django.utils.module_loading import import_string

from chatproject.lib.errors import Problem
from conversations.assistants.base import Assistant

Json = dict[str, Any]


class Kind(Protocol):
    """A class of assistants. `Config` is a msgspec Struct; `asks` are the assistants that one may ask, `wrong` what is
    wrong with a configuration, in sentences."""

    Config: type[msgspec.Struct]

    def __call__(self, config: Any) -> Assistant: ...

    def asks(self, config: Any) -> Collection[str]: ...

    def wrong(self, config: Any) -> list[str]: ...


def names() -> list[str]:
    """The kinds that there are."""
    return list(settings.ASSISTANT_KINDS)


def description(kind: str) -> str:
    """One line about a kind."""
    return (getdoc(_kind(kind)) or "").partition("\n")[0]


def build(kind: str, config: Mapping[str, Any]) -> Assistant:
    """An assistant of a kind. Raises Problem `invalid`."""
    return _kind(kind)(converted(kind, config))


def converted(kind: str, config: Mapping[str, Any]) -> Any:
    """A configuration in its form. Raises Problem `invalid` for what is not one of this kind."""
    try:
        made = msgspec.convert(config, _kind(kind).Config)
    except msgspec.ValidationError as error:
        raise Problem("invalid", errors={"config": [str(error)]}) from error
    if wrong := _kind(kind).wrong(made):
        raise Problem("invalid", errors={"config": wrong})
    return made


def asks(kind: str, config: Mapping[str, Any]) -> Collection[str]:
    """The assistants that one of this configuration may ask. Raises Problem `invalid`."""
    return _kind(kind).asks(converted(kind, config))


def check(name: str, kind: str, config: Mapping[str, Any], known: Callable[[str], Collection[str] | None]) -> None:
    """Raise Problem `invalid` where the assistant `name` cannot be this: a wrong configuration, assistants that are not
    there, or that would ask each other in a circle. `known` says whom an assistant asks; None where there is none."""
    wrong: list[str] = []
    for other in asks(kind, config):
        if other != name and known(other) is None:
            wrong.append(f"There is no assistant {other}.")
        elif circle := _circle(name, other, known, (name,)):
            wrong.append(f"These would ask each other: {', '.join(circle)}.")
    if wrong:
        raise Problem("invalid", errors={"config": sorted(wrong)})


def _circle(
    name: str, at: str, known: Callable[[str], Collection[str] | None], path: tuple[str, ...]
) -> tuple[str, ...]:
    """The way from `at` back to `name`; empty where there is none."""
    if at == name:
        return (*path, at)
    if at in path:
        return ()
    return next((found for other in known(at) or () if (found := _circle(name, other, known, (*path, at)))), ())


def _kind(name: str) -> Any:
    if name not in settings.ASSISTANT_KINDS:
        raise Problem("invalid", errors={"kind": [f"One of {', '.join(names())}."]})
    return import_string(settings.ASSISTANT_KINDS[name])
