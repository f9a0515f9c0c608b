"""The scripted model."""

from tests.conversations.assistants.conftest import provider

__all__ = ["provider"]
