"""What may be sent to an assistant, read in the order of a context and never further than asked for.

An answer stands behind the message that it answers (`anchor`), even where others wrote in between. Membership
was checked by whoever calls.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from conversations import wire
from conversations.context import tokens
from conversations.context.ranges import Range
from conversations.files.forms import as_text
from conversations.files.pictures import MAX_BYTES as PICTURE_MAX_BYTES
from conversations.files.pictures import TYPES as PICTURES
from conversations.models import Conversation, Event, File, Message, Run, Summary
from conversations.models.message import KEPT

# What is needed to choose; texts are read of what was chosen.
LIGHT = ("id", "seq", "anchor", "role", "pinned", "run", "tokens", "parts")
TEXT = (
    "id",
    "conversation_id",
    "seq",
    "role",
    "run",
    "status",
    "text",
    "text_event",
    "versions",
    "parts",
    "author_name",
)
WHOLE = (*LIGHT, *TEXT)
Json = dict[str, Any]


def sendable(conversation: UUID, *, until: int | None = None) -> QuerySet[Message]:
    """Visible messages in which something is said, the newest first; with `until` those anchored before that seq."""
    rows = Message.objects.visible().filter(conversation=conversation, text__isnull=False)
    rows = rows.exclude(tokens__contains={tokens.configured()[0]: 0})
    if until is not None:
        rows = rows.filter(anchor__lt=until)
    return rows.order_by("-anchor", "-seq")


def in_front(rows: QuerySet[Message], place: tuple[int, int]) -> QuerySet[Message]:
    """Those of `sendable` in front of a place."""
    anchor, seq = place
    return rows.filter(Q(anchor__lt=anchor) | Q(anchor=anchor, seq__lt=seq), anchor__lte=anchor)


def kept(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Those of `sendable` that stay when others of their age go: pinned ones, and those of the system."""
    return rows.filter(KEPT)


def light(rows: QuerySet[Message]) -> list[Any]:
    """`rows` without their texts: named tuples of LIGHT."""
    return list(rows.values_list(*LIGHT, named=True))


def asked(conversation: UUID, id_: UUID | None) -> Message | None:
    """The message that is answered: this one unless it is gone, or the newest of a user."""
    rows = Message.objects.visible().filter(conversation=conversation)
    found = rows.filter(id=id_) if id_ else rows.filter(role=Message.Role.USER).order_by("-seq")
    return found.only(*WHOLE).first()


def system_messages(conversation: UUID, *, until: int | None, limit: int) -> list[Message]:
    """The conversation's first system messages, in order."""
    rows = sendable(conversation, until=until).filter(KEPT, role=Message.Role.SYSTEM)
    return list(rows.order_by("anchor", "seq").only(*WHOLE)[:limit])


def places(conversation: UUID, *, until: int | None, limit: int) -> list[tuple[int, int]]:
    """(anchor, seq) of the newest that can be sent."""
    return list(sendable(conversation, until=until).values_list("anchor", "seq")[:limit])


def texts(ids: Iterable[UUID]) -> dict[UUID, Message]:
    """Rows with what `wire.message_text` needs."""
    return {row.id: row for row in Message.objects.filter(id__in=list(ids)).only(*TEXT)}


def told(rows: Iterable[Message]) -> dict[UUID, str]:
    """Message -> what a model is told of it: its text, and its files as text."""
    return {row.id: _told(wire.message_text(row), row.parts) for row in rows}


def about(conversation: UUID, message: UUID) -> tuple[str, Json, str] | None:
    """What a message says, the conversation's metadata, and the slug of the template that it began from; None where the
    message is gone."""
    row = asked(conversation, message)
    if row is None:
        return None
    began = (
        Event.objects.filter(conversation=conversation, seq=1).values_list("data__template__slug", flat=True).first()
    )
    metadata = Conversation.objects.values_list("metadata", flat=True).get(id=conversation)
    return told([row])[row.id], metadata, began or ""


def pictures(row: Message) -> list[UUID]:
    """The files of a message that can be sent as pictures, in order."""
    wanted = [part["id"] for part in row.parts]
    fit = File.objects.filter(id__in=wanted, type__in=PICTURES, size__lte=PICTURE_MAX_BYTES) if wanted else ()
    return sorted((file.id for file in fit), key=lambda id_: wanted.index(str(id_)))


def _told(text: str, parts: Sequence[Json]) -> str:
    files = File.objects.in_bulk([part["id"] for part in parts]) if parts else {}
    carried = [_file_as_text(files[UUID(part["id"])]) for part in parts if UUID(part["id"]) in files]
    return "\n\n".join(filter(None, [text, *carried]))


def _file_as_text(row: File) -> str:
    name = wire.opened(row.name, row.conversation_id, row.id, "name")
    return as_text(name, row.type, wire.opened(row.text, row.conversation_id, row.id, "text"))


def said_between(conversation: UUID, from_seq: int, to_seq: int, limit: int) -> list[tuple[str, str]]:
    """(role, text) of what is anchored in a range, oldest first."""
    rows = sendable(conversation).filter(anchor__gte=from_seq, anchor__lte=to_seq).only(*TEXT)
    return [(row.role, _told(wire.message_text(row), row.parts)) for row in reversed(rows[:limit])]


def tool_runs(runs: Iterable[UUID]) -> dict[UUID, Run]:
    """Those of the runs that called tools, with their `steps`."""
    rows = Run.objects.filter(id__in=list(runs), steps__contains=[{"kind": "tool"}])
    return {row.id: row for row in rows.only("id", "conversation_id", "steps")}


def summaries(conversation: UUID, wanted: Sequence[Range]) -> dict[Range, Summary]:
    """Those of the wanted summaries that there are."""
    by_numbers = {(one.from_seq, one.to_seq): one for one in wanted}
    rows = Summary.objects.filter(conversation=conversation, from_seq__in=[one.from_seq for one in wanted])
    return {by_numbers[numbers]: row for row in rows if (numbers := (row.from_seq, row.to_seq)) in by_numbers}


def told_by_events(conversation: UUID, seqs: Iterable[int]) -> dict[int, str]:
    """Seq of an event -> what a model was told of its text then, with the files of its message."""
    rows = {row.seq: wire.stored_event(row)["data"] for row in _events(conversation, seqs)}
    carrying = Message.objects.filter(id__in=[data["message"] for data in rows.values()]).exclude(parts=[])
    parts = {str(id_): found for id_, found in carrying.values_list("id", "parts")}
    return {seq: _told(data.get("text") or "", parts.get(data["message"], [])) for seq, data in rows.items()}


def _events(conversation: UUID, seqs: Iterable[int]) -> QuerySet[Event]:
    return Event.objects.filter(conversation=conversation, seq__in=list(seqs))
