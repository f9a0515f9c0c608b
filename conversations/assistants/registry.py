"""Which assistants there are: of the setting ASSISTANTS, of installed packages, and what staff connected."""

from collections.abc import Collection

from conversations.assistants import definitions, kinds
from conversations.assistants.definitions import Definition
from conversations.connectors import defining, directory


def available() -> list[str]:
    """Names of the assistants that can answer here. Never a query (but the first time)."""
    offered = definitions.names()
    return [*offered, *(name for name in directory.known() if name not in offered)]


def find(name: str) -> Definition | None:
    """The definition of an assistant as it is now; None where there is none (any more). May take a query."""
    return definitions.find(name) or defining.find(name)


def shown(name: str) -> Definition | None:
    """The same as of the last second, to be shown and not to be built."""
    return definitions.find(name) or defining.known(name)


def description(name: str) -> str:
    """One line that says what an assistant does; empty for those that are not there."""
    found = shown(name)
    return found.description if found else ""


def asks(name: str) -> Collection[str] | None:
    """The assistants that this one may ask; None where it is not there itself. Raises Problem `invalid` where its
    configuration is."""
    found = shown(name)
    if found is None:
        return None
    return kinds.asks(found.kind, found.config) if found.config is not None and found.kind in kinds.names() else ()


def asks_others(name: str) -> bool:
    """Whether it has others answer, and asks no model itself."""
    found = shown(name)
    return found is not None and found.config is not None and found.kind in kinds.names()


def version(name: str) -> str | None:
    """The version of an assistant as it is now. May take a query."""
    found = find(name)
    return found.version if found else None
