"""The files of messages in exports: in front of the events that carry them, in pieces, so that neither writing nor
reading one needs it whole in memory.

JSONL: a line `{"file": {id, name, type, size, created_at}}`, then its content in lines `{"content": <base64>}`.
JSON: the same fields in the list `files`, with `content` as a list of pieces.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings

from chatproject.lib.clock import rfc3339
from chatproject.lib.spool import Spool
from conversations import keys, selectors, wire
from conversations.files import content
from conversations.models import Conversation, File

# How a line begins that is no event.
NO_EVENT = re.compile(rb'\{\s*"(file|content)"\s*:')


class Head(msgspec.Struct):
    """What is known of a file; its type is found out again."""

    id: str
    name: str
    size: int
    created_at: datetime


class _Line(msgspec.Struct):
    file: Head | None = None
    content: str | None = None


class _Object(Head):
    content: list[str]


@dataclass(frozen=True)
class Carried:
    """A file of an export; `content` is closed by who reads the next one."""

    head: Head
    content: Spool


def jsonl(row: Conversation) -> Iterator[bytes]:
    """The lines of all files that messages carry."""
    for file in _attached(row):
        yield msgspec.json.encode({"file": _head(file)}) + b"\n"
        for piece in _pieces(file):
            yield b'{"content":"' + piece + b'"}\n'


def document(row: Conversation) -> Iterator[bytes]:
    """The field `files` of a JSON document, with a comma before it; nothing where there are none."""
    between = b',"files":[\n'
    for file in _attached(row):
        yield between + msgspec.json.encode(_head(file))[:-1] + b',"content":['
        for number, piece in enumerate(_pieces(file)):
            yield (b',"' if number else b'"') + piece + b'"'
        yield b"]}"
        between = b",\n"
    if between == b",\n":
        yield b"\n]"


def of_lines(raw: Iterable[bytes]) -> Iterator[Carried]:
    """The files that these lines hold. Raises ValueError."""
    head: Head | None = None
    spool = Spool()
    for line in map(msgspec.json.Decoder(_Line).decode, raw):
        if line.file:
            yield from _whole(head, spool)
            head, spool = line.file, Spool()
        elif head is None or line.content is None:
            raise ValueError("content comes after its file")
        else:
            _add(spool, line.content)
    yield from _whole(head, spool)


def of_document(value: Any) -> Iterator[Carried]:
    """The one file that an object of `files` holds. Raises ValueError."""
    found, spool = msgspec.convert(value, _Object), Spool()
    for piece in found.content:
        _add(spool, piece)
    yield from _whole(found, spool)


def _attached(row: Conversation) -> list[File]:
    return list(selectors.files(row.id).exclude(message=None).order_by("created_at", "id"))


def _head(file: File) -> dict[str, Any]:
    about = {"name": wire.file_name(file), "type": file.type, "size": file.size}
    return {"id": str(file.id), **about, "created_at": rfc3339(file.created_at)}


def _pieces(file: File) -> Iterator[bytes]:
    return map(base64.b64encode, content.pieces(file, keys.of(file.conversation_id)))


def _add(spool: Spool, piece: str) -> None:
    spool.write(base64.b64decode(piece, validate=True))
    if spool.size > settings.FILE_MAX_BYTES:
        raise ValueError(f"a file has at most {settings.FILE_MAX_BYTES} bytes")


def _whole(head: Head | None, spool: Spool) -> Iterator[Carried]:
    """The file, if there is one before this place, and it is complete."""
    with closing(spool):
        if head is None:
            return
        if spool.size != head.size:
            raise ValueError("a file is not as long as it says")
        yield Carried(head, spool)
