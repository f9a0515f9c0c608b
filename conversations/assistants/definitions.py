"""What is known of an assistant before it is built, and the definitions that settings and packages give."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import sha256
from importlib import metadata
from inspect import getdoc
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from conversations.assistants import kinds
from conversations.assistants.base import Assistant

GROUP = "chatproject.assistants"
# Settings without which an assistant is not offered.
NEEDS = {"openai": "OPENAI_API_KEY"}


@dataclass(frozen=True)
class Definition:
    """An assistant as it is defined now. `build` makes it, once per version and process (building.py); `kind` says
    where the definition comes from: setting, package, or what kind of connector it is. `origin` tells definitions of
    the same name and version apart. `config` is there for kinds that are made of one (kinds.py); `limits` stand in the
    place of settings (isolation/limits.py)."""

    name: str
    version: str
    kind: str
    description: str
    origin: str
    build: Callable[[], Assistant]
    config: dict[str, Any] | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)


def names() -> list[str]:
    """Names of the assistants that settings and installed packages offer."""
    offered = [name for name in settings.ASSISTANTS if name not in NEEDS or getattr(settings, NEEDS[name])]
    return [*offered, *(name for name in packaged() if name not in settings.ASSISTANTS)]


def find(name: str) -> Definition | None:
    """What a setting or a package says of `name`; a setting comes first."""
    if name in settings.ASSISTANTS:
        given = settings.ASSISTANTS[name]
        return _of_path(name, given) if isinstance(given, str) else _of_config(name, given)
    return _of_package(packaged()[name]) if name in packaged() else None


@cache
def packaged() -> dict[str, metadata.EntryPoint]:
    """The assistants of installed packages (entry points), by name."""
    return {found.name: found for found in metadata.entry_points(group=GROUP)}


def _of_path(name: str, path: str) -> Definition:
    try:
        made = import_string(path)
    except ImportError:
        # The list of assistants is there all the same; who asks this one is told, and its state says so.
        return Definition(name, "", "setting", "", path, lambda: import_string(path)())
    return Definition(name, _version(made, "1"), "setting", _about(made), path, made)


def _of_config(name: str, given: dict[str, Any]) -> Definition:
    """What the configuration of a kind defines; its version is a fingerprint of it."""
    kind, config = given["kind"], {key: value for key, value in given.items() if key not in ("kind", "description")}
    version = sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()[:12]
    about = given.get("description") or kinds.description(kind)
    return Definition(name, version, kind, about, "setting", partial(kinds.build, kind, config), config)


def _of_package(found: metadata.EntryPoint) -> Definition:
    version = found.dist.version if found.dist else "1"
    try:
        made = found.load()
    except Exception:
        return Definition(found.name, version, "package", "", found.value, lambda: found.load()())
    return Definition(found.name, _version(made, version), "package", _about(made), found.value, partial(made))


def _version(made: Any, otherwise: str) -> str:
    """What a class says its version is: `version`, a text or a static method that gives one."""
    version = getattr(made, "version", otherwise)
    return str(version() if callable(version) else version)[:64]


def _about(made: Any) -> str:
    """The first line of its documentation."""
    return (getdoc(made) or "").strip().partition("\n")[0]
