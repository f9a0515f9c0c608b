"""Which assistants there are: the setting ASSISTANTS, built once per process."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from conversations.assistants.base import Assistant

NEEDS = {"openai": "OPENAI_API_KEY"}


def available() -> list[str]:
    """Names of the assistants that can answer here."""
    return [name for name in settings.ASSISTANTS if name not in NEEDS or getattr(settings, NEEDS[name])]


@cache
def get(name: str) -> Assistant:
    """The assistant of this name. Raises KeyError where it is not configured (any more)."""
    return import_string(settings.ASSISTANTS[name])()


def description(name: str) -> str:
    """The first line of the assistant's documentation."""
    return (import_string(settings.ASSISTANTS[name]).__doc__ or "").strip().splitlines()[0]
