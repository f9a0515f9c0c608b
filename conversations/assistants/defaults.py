"""Who answers where nobody was named."""

from django.conf import settings

from conversations.assistants import registry


def default_assistant() -> str:
    """The one of DEFAULT_ASSISTANT where it can answer here, else the first that can."""
    offered = registry.available()
    return settings.DEFAULT_ASSISTANT if settings.DEFAULT_ASSISTANT in offered else offered[0]
