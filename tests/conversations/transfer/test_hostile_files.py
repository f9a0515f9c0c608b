"""Files that are broken, or made to do harm: each is refused with its place, and leaves nothing behind."""

import gzip
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.test.utils import override_settings

from accounts.models import User
from conversations.event_types import EVENT_TYPES
from conversations.services import conversations, messages, runs
from conversations.transfer import documents
from conversations.transfer import lines as form
from tests.conversations.support import check_numbers
from tests.conversations.transfer.files import lines
from tests.conversations.transfer.importing import Json, document, exported, imported, refusal

DEEP = 100_000


@pytest.fixture
def told(alice: User) -> list[Json]:
    """Header, conversation:new, message:new, run:start, run:step, run:end, message:new: the lines of a good file."""
    id_ = conversations.create(user=alice, assistant="guide", message="Why?").result(30).conversation.id
    claim = runs.claim(conversation=id_, worker="test")
    assert claim
    step = {"step": "s", "kind": "tool", "name": "look", "status": "completed", "input": {"q": 1}, "output": [None]}
    runs.step(claim=claim, data=step).result(30)
    runs.end(claim=claim, status="completed", text="Because").result(30)
    messages.send(user=alice, conversation=id_, text="Thanks", cmid="t", reply_to=str(claim.message)).result(30)
    head, events = lines(exported(id_))
    return [head, *events[:6]]


def put(place: str, value: Any) -> Callable[[list[Json]], None]:
    """Set `5.data.text` and the like: a line of the file, then names."""
    number, *names, last = place.split(".")

    def change(told: list[Json]) -> None:
        target: Any = told[int(number)]
        for name in names:
            target = target[name]
        target[last] = value

    return change


def drop(place: str) -> Callable[[list[Json]], None]:
    number, *names, last = place.split(".")

    def change(told: list[Json]) -> None:
        target: Any = told[int(number)]
        for name in names:
            target = target[name]
        del target[last]

    return change


OTHER = "01a1fb92-2a03-752e-843c-26acb376d6d5"
BAD: list[tuple[str, Callable[[list[Json]], Any]]] = [
    ("a hole", lambda told: told.pop(3)),
    ("a repetition", lambda told: told.insert(3, told[3])),
    ("out of order", lambda told: told.insert(2, told.pop(3))),
    ("seq 0", put("1.seq", 0)),
    ("seq as text", put("2.seq", "2")),
    ("seq with a fraction", put("2.seq", 2.5)),
    ("a huge seq", put("2.seq", 10**40)),
    ("a negative seq", put("2.seq", -1)),
    ("a type of nobody", put("2.type", "conversation:hack")),
    ("a type that is no text", put("2.type", ["message:new"])),
    ("no data", drop("2.data")),
    ("data that is no object", put("2.data", [])),
    ("no text", drop("2.data.text")),
    ("a text that is none", put("2.data.text", {"$sealed": "a.b"})),
    ("a NUL in a text", put("2.data.text", "a\0b")),
    ("a NUL in metadata", put("1.data.metadata", {"a\0": 1})),
    ("a NUL in a name", put("2.actor.name", "a\0")),
    ("huge metadata", put("1.data.metadata", {"a": "x" * 20_000})),
    ("a number beyond all", put("1.data.metadata", {"a": 2**70})),
    ("a long text", put("2.data.text", "x" * 100_001)),
    ("a long title", put("1.data.title", "x" * 201)),
    ("an id that is none", put("2.id", "../../x")),
    ("a message id that is none", put("2.data.message", "1")),
    ("a message that was there", lambda told: told[6]["data"].update(message=told[2]["data"]["message"])),
    ("a run that was there", lambda told: told[6]["data"].update(run=told[2]["data"]["run"], assistant="x")),
    ("a run without assistant", lambda told: told[6]["data"].update(run=OTHER, assistant=None)),
    ("a reply to nothing", put("6.data.reply_to", OTHER)),
    ("a run that nobody asked for", put("3.data.run", OTHER)),
    ("a step of another run", put("4.data.run", OTHER)),
    ("an end of another run", put("5.data.run", OTHER)),
    ("an end with another message", put("5.data.message", OTHER)),
    ("an end of a kind of its own", put("5.data.status", "exploded")),
    ("an end without text", put("5.data.text", None)),
    ("a time that is none", put("2.at", "yesterday")),
    ("a time without an offset", put("2.at", "2026-01-01T00:00:00")),
    ("a time that goes back", put("3.at", "2020-01-01T00:00:00.000Z")),
    ("a time before all", put("1.at", "0001-01-01T00:00:00.000+14:00")),
    ("a time to come", put("6.at", "9999-12-31T23:59:59.999Z")),
    ("a kind of author", put("2.actor.kind", "root")),
    ("an author without id", put("2.actor.id", "")),
    ("a long name", put("2.actor.name", "x" * 151)),
    ("a conversation of two", put("2.conversation", OTHER)),
    ("no beginning", lambda told: told.pop(1)),
    ("two beginnings", lambda told: told.insert(2, {**told[1], "seq": 2})),
    ("deep data", put("4.data.input", json.loads("[" * 200 + "]" * 200))),
    ("no object", lambda told: told.insert(2, [])),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), BAD, ids=[name for name, _ in BAD])
def test_lines_that_cannot_be(alice: User, told: list[Json], name: str, change: Callable[[list[Json]], Any]) -> None:
    change(told)
    code, detail = refusal(alice, document(*told))
    assert code == "invalid"
    assert detail.startswith("Line "), detail
    head, *events = told
    code, detail = refusal(alice, json.dumps({**head, "events": events}).encode())
    assert code == "invalid"
    assert detail.startswith(("Event ", "There are more than 64 levels", "The file is not valid JSON")), detail


def test_the_place_is_told(alice: User, told: list[Json]) -> None:
    del told[4]["data"]["kind"]

    assert refusal(alice, document(*told)) == ("invalid", "Line 5: Object missing required field `kind`")


def test_the_good_file_is_good(alice: User, told: list[Json]) -> None:
    """Its last message asked for an answer that is not in it any more, so that an end was added."""
    assert check_numbers(imported(alice, document(*told))) == 6 + 1


def zipped(file: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", file)
    return out.getvalue()


FILES: list[tuple[str, bytes]] = [
    ("nothing", b""),
    ("blanks", b" \n\n "),
    ("a number", b"1"),
    ("half an object", b'{"format": "conversation-export"'),
    ("a list of nothing", b"[]"),
    ("a list of numbers", b"[1, 2]"),
    ("an object of somebody else", b'{"a": 1}'),
    ("HTML", b"<!doctype html>"),
    ("a later version", b'{"format": "conversation-export", "version": 2}\n'),
    ("a version that is none", b'{"format": "conversation-export", "version": [1]}\n'),
    ("events of another format", b'{"format": "x", "version": 1, "events": []}'),
    ("a document without events", b'{"format": "conversation-export", "version": 1, "events": []}'),
    ("events that are none", b'{"format": "conversation-export", "version": 1, "events": 5}'),
    ("UTF-16", "{}".encode("utf-16")),
    ("Latin-1", '{"mapping": {"é": 1}}'.encode("latin-1")),
    ("an archive", zipped(b"0" * 1000)),
    ("a bomb", gzip.compress(b"0" * 10_000_000)),
    ("a deep list", b"[" * DEEP),
    ("a deep list in an object", b'[{"mapping": ' + b"[" * DEEP + b"]" * DEEP + b"}]"),
    ("a deep line", b'{"format": "conversation-export", "version": 1}\n' + b'{"data":' * DEEP),
    ("a number without end", b'[{"mapping": ' + b"9" * 50_000 + b"}]"),
    ("a number beyond floats", b'[{"mapping": {"a": 1e999999}}]'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file"), FILES, ids=[name for name, _ in FILES])
def test_files_that_are_none(alice: User, name: str, file: bytes) -> None:
    code, detail = refusal(alice, file)
    assert code == "invalid"
    assert detail


def test_a_header_alone_is_no_conversation(alice: User, told: list[Json]) -> None:
    assert refusal(alice, document(told[0])) == ("invalid", "There is no event in the file.")


def test_bytes_that_are_no_text(alice: User, told: list[Json]) -> None:
    file = document(*told)
    assert refusal(alice, file.replace(b"Thanks", b"Than\xff\xfes"))[1].startswith("Line 7: ")
    assert refusal(alice, file.replace(b"Thanks", b"\\ud800"))[1].startswith("Line 7: ")
    assert refusal(alice, file.replace(b"Thanks", b"a\nb"))[1].startswith("Line 7: ")


def test_what_is_too_large(alice: User, told: list[Json], monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(alice, document(told[0]) + b"x" * 5_000_000)[0] == "too_large"
    monkeypatch.setattr(documents, "MAX_VALUES", 100)
    assert refusal(alice, json.dumps([{"mapping": {}, "x": [0] * 100}]).encode())[0] == "too_large"
    with override_settings(IMPORT_MAX_CONVERSATIONS=2):
        assert refusal(alice, json.dumps([{"mapping": {}}] * 3).encode())[0] == "too_large"


def test_a_file_that_breaks_off_in_the_middle_leaves_nothing(alice: User) -> None:
    assert refusal(alice, b'[{"mapping": {}}, {"mapping": {}}, {"mapp')[0] == "invalid"
    assert refusal(alice, b'[{"mapping": {}}, {"mapping": 5}]')[1].startswith("Conversation 2: ")


def test_every_type_of_event_can_be_imported() -> None:
    assert set(form.SHAPES) == set(EVENT_TYPES)
