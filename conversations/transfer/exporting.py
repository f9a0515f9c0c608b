"""One conversation as a file, in constant memory: page after page of the log, up to the head of the start.

docs/export-import.md describes the forms field by field.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from chatproject.lib.clock import rfc3339
from conversations import epochs, selectors, wire
from conversations.models import Conversation
from conversations.transfer import attachments, transcript

FORMAT = "conversation-export"
VERSION = 1
# Events (or messages) that are in memory at the same time.
PAGE = 200


@dataclass(frozen=True)
class Form:
    """A file format: its media type, and what writes a conversation in it, one piece per page."""

    media_type: str
    write: Callable[[Conversation], Iterator[bytes]]


def header(row: Conversation) -> dict[str, Any]:
    """What stands before the events. Nothing in it changes between two exports of the same log."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "conversation": {
            "id": str(row.id),
            "epoch": epochs.visible(row.epoch),
            "head": row.last_seq,
            "title": wire.title(row),
            "status": row.status,
            "assistant": row.assistant,
            "metadata": row.metadata,
            "tags": row.tags,
            "created_at": rfc3339(row.created_at),
            "updated_at": rfc3339(row.updated_at),
        },
    }


def _jsonl(row: Conversation) -> Iterator[bytes]:
    """The header, the files that messages carry, then an event per line, as REST gives it."""
    yield msgspec.json.encode(header(row)) + b"\n"
    yield from attachments.jsonl(row)
    for page in _events(row):
        yield b"".join(msgspec.json.encode(event) + b"\n" for event in page)


def _json(row: Conversation) -> Iterator[bytes]:
    """One document: the header's fields, `files`, and `events`."""
    yield msgspec.json.encode(header(row))[:-1]
    yield from attachments.document(row)
    yield b',"events":[\n'
    between = b""
    for page in _events(row):
        yield between + b",\n".join(map(msgspec.json.encode, page))
        between = b",\n"
    yield b"\n]}\n"


def _markdown(row: Conversation) -> Iterator[bytes]:
    """A transcript of what is visible, for people."""
    yield transcript.heading(row).encode()
    seq = 0
    while page := selectors.transcript(row.id, after_seq=seq, up_to=row.last_seq, limit=PAGE):
        names = selectors.names_of_files(page)
        yield "".join(transcript.message(message, names[message.id]) for message in page).encode()
        seq = page[-1].seq


def _events(row: Conversation) -> Iterator[list[dict[str, Any]]]:
    seq = 0
    while page := selectors.events(row.id, seq, PAGE, up_to=row.last_seq):
        yield page
        seq = page[-1]["seq"]


FORMS: dict[str, Form] = {
    "jsonl": Form("application/x-ndjson", _jsonl),
    "json": Form("application/json", _json),
    "md": Form("text/markdown; charset=utf-8", _markdown),
}
