"""Reading settings from the environment. A wrong value stops the start with a sentence that names it."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The value of `name`, or of the file that `name`_FILE points to, or `default`."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE points to {file}, which cannot be read: {error}") from error
    return os.environ.get(name, default)


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least `least`. Raises ImproperlyConfigured with the cure otherwise."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if not raw.strip().isdigit() or int(raw) < least:
        raise ImproperlyConfigured(f"{name} is {raw!r}; set it to a whole number of at least {least}, or unset it.")
    return int(raw)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of a few words. Raises ImproperlyConfigured with the others otherwise."""
    raw = os.environ.get(name, default).strip().lower() or default
    if raw not in choices:
        raise ImproperlyConfigured(f"{name} is {raw!r}; set it to one of {', '.join(choices)}, or unset it.")
    return raw


def flag(name: str, default: bool) -> bool:
    raw = os.environ.get(name, "").strip().lower()
    if raw in ("1", "true", "yes", "on"):
        return True
    if raw in ("0", "false", "no", "off"):
        return False
    if raw:
        raise ImproperlyConfigured(f"{name} is {raw!r}; set it to 1 or 0, or unset it.")
    return default


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]
