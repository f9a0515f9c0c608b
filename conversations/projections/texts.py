"""What messages of people and of assistants have in common: a text with versions, and whether they are shown."""

from typing import Any
from uuid import UUID

from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.functions import JSONObject

from chatproject.lib.clock import rfc3339
from conversations import past
from conversations.context import ranges
from conversations.models import Conversation, Event, File, Message, Summary


def unselect(conversation: Conversation, group: UUID, seq: int, but: UUID | None = None) -> None:
    """Of a group of alternatives, show none (but the one that is chosen with the event `seq`)."""
    rows = Message.objects.filter(Q(id=group) | Q(branch_of=group), conversation=conversation)
    show(rows.exclude(id=but) if but else rows, seq, selected=False)


def show(rows: QuerySet[Message], seq: int, **visibility: Any) -> None:
    """Give messages another `status` or `selected`, where they have not got it, and keep what they had."""
    before = JSONObject(until=Value(seq), status=F("status"), selected=F("selected"))
    kept = Func(F("past"), before, function="jsonb_concat")
    rows.exclude(**visibility).update(**visibility, past=kept, changed_seq=seq)


def forget_summaries(conversation: Conversation, anchor: int) -> None:
    """What covers this place is not true any more; it is summarised anew when needed."""
    begun = [one.from_seq for one in ranges.around(anchor)]
    Summary.objects.filter(conversation=conversation, from_seq__in=begun, to_seq__gte=anchor).delete()


def carry(conversation: Conversation, row: Message) -> None:
    """Have the files that the parts of a message name be its own."""
    named = [part["id"] for part in row.parts if part.get("type") == "file"]
    File.objects.filter(conversation=conversation, id__in=named).update(message=row.id)


def set_text(row: Message, conversation: Conversation, event: Event) -> None:
    """Give `row` the text of `event`, with what came with it; the caller saves it."""
    put_text(row, conversation, event, {"seq": event.seq, "event": str(event.id), "at": rfc3339(event.at)})


def put_text(row: Message, conversation: Conversation, written: Event, version: dict[str, Any]) -> None:
    """Give `row` the text that `written` holds, as the `version` that Message.versions keeps of it."""
    data = written.data
    conversation.sensitive += bool(data.get("sensitive")) - row.sensitive
    row.text, row.text_event, row.changed_seq = data["text"], written.id, version["seq"]
    row.versions = [*row.versions, version]
    row.tokens = past.tokens(data)
    row.redacted, row.sensitive = bool(data.get("redacted")), bool(data.get("sensitive"))
