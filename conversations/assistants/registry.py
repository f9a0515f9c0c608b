"""Which assistants there are: of the setting ASSISTANTS, of installed packages, and what staff connected."""

from conversations.assistants import definitions
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


def version(name: str) -> str | None:
    """The version of an assistant as it is now."""
    found = find(name)
    return found.version if found else None
