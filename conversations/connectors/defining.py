"""Connectors as definitions of assistants."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from conversations.assistants.base import Assistant
from conversations.assistants.definitions import Definition
from conversations.connectors import directory
from conversations.connectors.kind import COMMON, table


def find(name: str) -> Definition | None:
    """The definition of a connector as it is at this moment: a query. None where there is none, or it is disabled."""
    setup = directory.setup_of(name)
    kind = table().get(setup.kind) if setup else None
    if setup is None or kind is None:
        return None
    return Definition(
        name=name,
        version=str(setup.version),
        kind=kind.name,
        description=setup.description,
        origin=f"connector:{setup.id}",
        build=partial(kind.build, setup),
        config=_own(setup.config),
        limits=setup.config.get("limits", {}),
    )


def known(name: str) -> Definition | None:
    """The same as of the last second, to be shown: without a query, and not to be built."""
    found = directory.known().get(name)
    if found is None:
        return None
    return Definition(
        name, str(found.version), found.kind, found.description, "", _shown_only, config=_own(found.config)
    )


def _own(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what every connector may have."""
    return {name: value for name, value in config.items() if name not in COMMON}


def _shown_only() -> Assistant:
    raise NotImplementedError("what is shown is looked up again before it is built")
