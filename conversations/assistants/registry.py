"""Which assistants there are: of the setting ASSISTANTS, of installed packages, and what staff connected."""

from collections.abc import Collection

from conversations.assistants import definitions, kinds
from conversations.assistants.definitions import Definition


def available() -> list[str]:
    """Names of the assistants that can answer here."""
    return definitions.names()


def find(name: str) -> Definition | None:
    """The definition of an assistant as it is now; None where there is none (any more)."""
    return definitions.find(name)


def description(name: str) -> str:
    """One line that says what an assistant does; empty for those that are not there."""
    found = find(name)
    return found.description if found else ""


def asks(name: str) -> Collection[str] | None:
    """The assistants that this one may ask; None where it is not there itself. Raises Problem `invalid` where its
    configuration is."""
    found = find(name)
    if found is None:
        return None
    return () if found.config is None or found.kind not in kinds.names() else kinds.asks(found.kind, found.config)


def version(name: str) -> str | None:
    """The version of an assistant as it is now."""
    found = find(name)
    return found.version if found else None
