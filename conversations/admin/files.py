"""The files of a conversation, for its page: names for staff who may read content, the rest for all staff."""

from dataclasses import dataclass

from conversations import wire
from conversations.admin.reading import Text, opened
from conversations.models import Conversation, File

SHOWN = 50


@dataclass(frozen=True)
class Entry:
    """One file; its name is None for those who may not read it."""

    file: File
    name: Text | None


def entries(conversation: Conversation, *, readable: bool) -> list[Entry]:
    """The newest files. Their content is not for staff: it is downloaded by members alone."""
    rows = File.objects.filter(conversation=conversation).select_related("uploader").order_by("-created_at")
    hidden = ("text", "digest") if readable else ("text", "digest", "name")
    return [_entry(row, readable=readable) for row in rows.defer(*hidden)[:SHOWN]]


def _entry(row: File, *, readable: bool) -> Entry:
    return Entry(row, opened(lambda: wire.file_name(row)) if readable else None)
