"""What messages of people and of assistants have in common: a text with versions, and alternatives."""

from typing import Any
from uuid import UUID

from django.db.models import Q

from chatproject.lib.clock import rfc3339
from conversations.models import Conversation, Event, File, Message


def unselect(conversation: Conversation, group: UUID, seq: int, but: UUID | None = None) -> None:
    """Of a group of alternatives, show none (but the one that is chosen with the event `seq`)."""
    rows = Message.objects.filter(Q(id=group) | Q(branch_of=group), conversation=conversation, selected=True)
    (rows.exclude(id=but) if but else rows).update(selected=False, changed_seq=seq)


def set_text(row: Message, conversation: Conversation, event: Event) -> None:
    """Give `row` the text of `event`, with what came with it; the caller saves it."""
    data = event.data
    conversation.sensitive += bool(data.get("sensitive")) - row.sensitive
    row.text, row.text_event, row.changed_seq = data["text"], event.id, event.seq
    row.versions = [*row.versions, _version(event)]
    row.tokens = _with_files(row, data.get("tokens") or {})
    row.redacted, row.sensitive = bool(data.get("redacted")), bool(data.get("sensitive"))


def _with_files(row: Message, counted: dict[str, int]) -> dict[str, int]:
    """The tokens of a text and of the files that its message carries."""
    carried = File.objects.filter(id__in=[part["id"] for part in row.parts]) if row.parts else ()
    sizes = [file.tokens for file in carried]
    return {encoding: size + sum(one.get(encoding, 0) for one in sizes) for encoding, size in counted.items()}


def _version(event: Event) -> dict[str, Any]:
    """What Message.versions keeps of a text: where it is."""
    return {"seq": event.seq, "event": str(event.id), "at": rfc3339(event.at)}
