"""Which files a run has made, told by the request that each was stored with."""

from typing import Any
from uuid import UUID

from conversations.models import File

Part = dict[str, Any]


def parts_of(run: UUID, conversation: UUID) -> list[Part]:
    """What a run has made so far, as parts of its message."""
    made = File.objects.filter(conversation=conversation, request__startswith=prefix(run)).order_by("created_at", "id")
    return [part(id_) for id_ in made.values_list("id", flat=True)]


def part(file: UUID) -> Part:
    """A file as a part of a message."""
    return {"type": "file", "id": str(file)}


def prefix(run: UUID) -> str:
    """What the requests of a run's files begin with."""
    return f"run:{run}:"
