"""What may be sent to an assistant, read in the order of a context and never further than asked for.

An answer stands behind the message that it answers (`anchor`), even where others wrote in between. Membership
was checked by whoever calls.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from chatproject.lib import rows
from conversations import wire
from conversations.context import tokens
from conversations.context.ranges import Range
from conversations.files.forms import as_text
from conversations.files.pictures import MAX_BYTES as PICTURE_MAX_BYTES
from conversations.files.pictures import TYPES as PICTURES
from conversations.models import Conversation, Event, File, Message, Run, Summary

# In SQL what models/message.py has indexes for. A turn waits for these: they are prepared.
VISIBLE = "m.conversation_id = %s AND m.selected AND NOT m.status IN ('deleted', 'hidden')"
KEPT = "(m.pinned OR m.role = 'system')"
# Visible, with something said, in front of a place.
SENDABLE = f"{VISIBLE} AND m.text IS NOT NULL AND NOT m.tokens @> %s::jsonb AND (m.anchor, m.seq) < (%s, %s)"
NEWEST_FIRST = "ORDER BY m.anchor DESC, m.seq DESC LIMIT %s"
MESSAGES = f"SELECT {rows.columns(Message, 'm')} FROM conversations_message m"  # noqa: S608
LIGHT = "SELECT m.id, m.seq, m.anchor, m.role, m.pinned, m.run, m.tokens, m.parts FROM conversations_message m"
TOOL_RUNS = (
    f"SELECT {rows.columns(Run, 'r')} FROM conversations_run r"  # noqa: S608
    """ WHERE r.id = ANY(%s::uuid[]) AND r.steps @> '[{"kind": "tool"}]'"""
)
# Anchor and seq.
Place = tuple[int, int]
END: Place = (2**63 - 1, 0)
Json = dict[str, Any]


class Light(NamedTuple):
    """What is needed of a message to choose; texts are read of what was chosen."""

    id: UUID
    seq: int
    anchor: int
    role: str
    pinned: bool
    run: UUID | None
    tokens: dict[str, int]
    parts: list[Json]


def before(until: int | None) -> Place:
    """The place in front of which stands what is anchored before the seq `until`; None: everything."""
    return END if until is None else (until, 0)


def newest(conversation: UUID, place: Place, limit: int) -> list[Light]:
    """What can be sent in front of a place, the newest first."""
    return _light(f"{LIGHT} WHERE {SENDABLE} {NEWEST_FIRST}", conversation, place, limit)


def kept(conversation: UUID, place: Place, limit: int) -> list[Light]:
    """Of that what stays when others of its age go: what is pinned, and what the system said."""
    return _light(f"{LIGHT} WHERE {SENDABLE} AND {KEPT} {NEWEST_FIRST}", conversation, place, limit)


def asked(conversation: UUID, id_: UUID | None) -> Message | None:
    """The message that is answered: this one unless it is gone, or the newest of a user."""
    if id_:
        found = rows.execute(f"{MESSAGES} WHERE {VISIBLE} AND m.id = %s", conversation, id_)
    else:
        newest_of_a_user = "m.role = 'user' ORDER BY m.seq DESC LIMIT 1"
        found = rows.execute(f"{MESSAGES} WHERE {VISIBLE} AND {newest_of_a_user}", conversation)
    return next(rows.made(Message, found), None)


def system_messages(conversation: UUID, *, until: int | None, limit: int) -> list[Message]:
    """The conversation's first system messages, in order."""
    system = f"{KEPT} AND m.role = 'system' ORDER BY m.anchor, m.seq LIMIT %s"
    found = _sendable(f"{MESSAGES} WHERE {SENDABLE} AND {system}", conversation, before(until), limit)
    return list(rows.made(Message, found))


def places(conversation: UUID, *, until: int | None, limit: int) -> list[Place]:
    """(anchor, seq) of the newest that can be sent."""
    statement = f"SELECT m.anchor, m.seq FROM conversations_message m WHERE {SENDABLE} {NEWEST_FIRST}"  # noqa: S608
    return [(anchor, seq) for anchor, seq in _sendable(statement, conversation, before(until), limit)]


def _light(statement: str, conversation: UUID, place: Place, limit: int) -> list[Light]:
    found = _sendable(statement, conversation, place, limit)
    decode = msgspec.json.decode
    return [Light._make((*plain, decode(counts), decode(parts))) for *plain, counts, parts in found]


def _sendable(statement: str, conversation: UUID, place: Place, *more: Any) -> Iterable[tuple[Any, ...]]:
    nothing_said = json.dumps({tokens.configured()[0]: 0})
    return rows.execute(statement, conversation, nothing_said, *place, *more)


def texts(ids: Iterable[UUID]) -> dict[UUID, Message]:
    """Rows with what `wire.message_text` needs."""
    found = rows.execute(f"{MESSAGES} WHERE m.id = ANY(%s::uuid[])", list(ids))
    return {row.id: row for row in rows.made(Message, found)}


def told(messages: Iterable[Message]) -> dict[UUID, str]:
    """Message -> what a model is told of it: its text, and its files as text."""
    return {row.id: _told(wire.message_text(row), row.parts) for row in messages}


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
    statement = f"{MESSAGES} WHERE {SENDABLE} AND m.anchor >= %s {NEWEST_FIRST}"
    found = list(rows.made(Message, _sendable(statement, conversation, before(to_seq + 1), from_seq, limit)))
    return [(row.role, _told(wire.message_text(row), row.parts)) for row in reversed(found)]


def tool_runs(runs: Iterable[UUID]) -> dict[UUID, Run]:
    """Those of the runs that called tools, with their `steps`."""
    return {row.id: row for row in rows.made(Run, rows.execute(TOOL_RUNS, list(runs)))}


def summaries(conversation: UUID, wanted: Sequence[Range]) -> dict[Range, Summary]:
    """Those of the wanted summaries that there are."""
    by_numbers = {(one.from_seq, one.to_seq): one for one in wanted}
    found = Summary.objects.filter(conversation=conversation, from_seq__in=[one.from_seq for one in wanted])
    return {by_numbers[numbers]: row for row in found if (numbers := (row.from_seq, row.to_seq)) in by_numbers}


def told_by_events(conversation: UUID, seqs: Iterable[int]) -> dict[int, str]:
    """Seq of an event -> what a model was told of its text then, with the files of its message."""
    said = {row.seq: wire.stored_event(row)["data"] for row in _events(conversation, seqs)}
    carrying = Message.objects.filter(id__in=[data["message"] for data in said.values()]).exclude(parts=[])
    parts = {str(id_): found for id_, found in carrying.values_list("id", "parts")}
    return {seq: _told(data.get("text") or "", parts.get(data["message"], [])) for seq, data in said.items()}


def _events(conversation: UUID, seqs: Iterable[int]) -> QuerySet[Event]:
    return Event.objects.filter(conversation=conversation, seq__in=list(seqs))
