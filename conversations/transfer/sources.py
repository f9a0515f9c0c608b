"""Which kind of file this is, found out from its content, and the conversations in it as events of ours."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, islice, takewhile
from typing import IO, Any

import msgspec

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.transfer import attachments, chainlit, chatgpt, documents, lines
from conversations.transfer.attachments import Carried
from conversations.transfer.documents import refusal
from conversations.transfer.exporting import FORMAT, VERSION
from conversations.transfer.lines import Line

# Bytes of one line: an answer of the greatest length with every character escaped, and more.
LINE_MAX = 4 * 1024 * 1024
# What files begin with that are not text: archives (their content may be any size), UTF-16.
NOT_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd", b"7z\xbc\xaf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Source:
    """One conversation of a file; its events come with the place where they stand, for people. `files` are what its
    messages carry, to be read before the events."""

    form: str
    events: Iterator[tuple[str, Line]]
    files: Iterator[tuple[str, Carried]] = field(default_factory=lambda: iter(()))


def read(file: IO[bytes], importer: User) -> Iterator[Source]:
    """The conversations of a file, lazily. Raises Problem `invalid` or `too_large`, also on the way."""
    begins = _beginning(file)
    if begins == b"{" and _is_ours(_first_line(file)):
        return iter([Source("jsonl", _jsonl(file), _files_of_lines(file))])
    if begins == b"{":
        key = documents.first_key(file, "", frozenset({"events", *_FOREIGN}))
        if key == "events":
            return iter([Source("json", _document(file), _files_of_document(file))])
        return _converted(file, "", key, importer)
    if begins == b"[":
        return _converted(file, "item", documents.first_key(file, "item", frozenset(_FOREIGN)), importer)
    raise refusal("The file is neither an export of ours nor one of Chainlit or ChatGPT.")


# What tells the exports of others: a key of each conversation, the form's name, and what makes events of it.
_FOREIGN: dict[str, tuple[str, Callable[[dict[str, Any], User], list[Line]]]] = {
    "mapping": ("chatgpt", chatgpt.events),
    "steps": ("chainlit", chainlit.events),
}


def _converted(file: IO[bytes], prefix: str, key: str | None, importer: User) -> Iterator[Source]:
    if key is None:
        raise refusal("The file is neither an export of ours nor one of Chainlit or ChatGPT.")
    form, events = _FOREIGN[key]
    for number, value in enumerate(documents.values(file, prefix), 1):
        place = f"Conversation {number}"
        try:
            found = events(value, importer)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, Problem) as error:
            raise placed(place, error) from error
        yield Source(form, iter([(place, line) for line in found]))


def _jsonl(file: IO[bytes]) -> Iterator[tuple[str, Line]]:
    begun = False
    for number, raw in enumerate(_lines(file), 1):
        if number > 1 and raw and (begun or not attachments.NO_EVENT.match(raw)):
            begun = True
            yield _read(f"Line {number}", lines.read, raw)


def _files_of_lines(file: IO[bytes]) -> Iterator[tuple[str, Carried]]:
    """They stand between the header and the first event."""
    further = filter(None, islice(_lines(file), 1, None))
    yield from _numbered(attachments.of_lines(takewhile(attachments.NO_EVENT.match, further)))


def _files_of_document(file: IO[bytes]) -> Iterator[tuple[str, Carried]]:
    found = (attachments.of_document(value) for value in documents.values(file, "files.item"))
    yield from _numbered(chain.from_iterable(found))


def _numbered(found: Iterator[Carried]) -> Iterator[tuple[str, Carried]]:
    for number in count(1):
        try:
            carried = next(found, None)
        except ValueError as error:
            raise placed(f"File {number}", error) from error
        if carried is None:
            return
        yield f"File {number}", carried


def _document(file: IO[bytes]) -> Iterator[tuple[str, Line]]:
    head = {name: next(documents.values(file, name), None) for name in ("format", "version")}
    if not _is_ours(msgspec.json.encode(head)):
        raise refusal(f"A document with events must have format {FORMAT!r}.")
    for number, value in enumerate(documents.values(file, "events.item"), 1):
        yield _read(f"Event {number}", lines.converted, value)


def _read(place: str, reader: Callable[[Any], Line], value: Any) -> tuple[str, Line]:
    try:
        return place, reader(value)
    except (ValueError, Problem) as error:
        raise placed(place, error) from error


def placed(place: str, error: Exception) -> Problem:
    """What is wrong, and where."""
    reason = str(error)
    if isinstance(error, Problem):
        reason = " ".join(sentence for found in (error.errors or {}).values() for sentence in found) or error.detail
    return refusal(f"{place}: {reason}")


def _is_ours(first: bytes) -> bool:
    """Whether a JSON object is the header of a JSONL file. Raises Problem `invalid` for a later version."""
    try:
        head = msgspec.json.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if not isinstance(head, dict) or head.get("format") != FORMAT or "events" in head:
        return False
    if head.get("version") != VERSION:
        raise refusal(f"Only version {VERSION} of {FORMAT} can be read.")
    return True


def _beginning(file: IO[bytes]) -> bytes:
    documents.rewind(file)
    head = file.read(4096)
    if head.startswith(NOT_TEXT):
        raise refusal("The file is no text in UTF-8; unpack archives first.")
    return head.lstrip()[:1]


def _first_line(file: IO[bytes]) -> bytes:
    return next(_lines(file), b"")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines without their ends, of which there are several kinds."""
    documents.rewind(file)
    while raw := file.readline(LINE_MAX + 1):
        if len(raw) > LINE_MAX:
            raise Problem("too_large", f"A line has at most {LINE_MAX} bytes.")
        yield raw.strip()
