"""Files in exports: they come back with the conversation, byte for byte, and count like before."""

import base64
import io
import json
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import User
from conversations import keys, selectors, wire
from conversations.files import content
from conversations.files.content import CHUNK_BYTES
from conversations.models import File, Message
from conversations.services import files, messages
from tests.conversations.files import samples
from tests.conversations.support import replayed
from tests.conversations.transfer.importing import anonymous, document, exported, imported, refusal, without_marks

LARGE = bytes(range(256)) * (CHUNK_BYTES // 256) + b"the end"


@pytest.fixture
def carried(alice: User, conversation: UUID) -> UUID:
    """Alice's conversation, with a message of three files, and one file that no message carries."""
    parts = []
    for name, held in (("notes.txt", b"Monday: plans"), ("绿.png", samples.PNG), ("large.bin", LARGE), ("alone", b"x")):
        given = files.Upload(io.BytesIO(held), len(held), name)
        parts.append({"type": "file", "id": str(files.upload(user=alice, conversation=conversation, given=given).id)})
    messages.send(user=alice, conversation=conversation, text="Look", cmid="1", parts=parts[:3]).result(30)
    return conversation


def contents(conversation: UUID) -> dict[str, bytes]:
    key = keys.of(conversation)
    return {wire.file_name(row): b"".join(content.pieces(row, key)) for row in selectors.files(conversation)}


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_they_come_back(alice: User, bob: User, carried: UUID, form: str) -> None:
    copy = imported(bob, exported(carried, form))
    assert contents(copy) == {"notes.txt": b"Monday: plans", "绿.png": samples.PNG, "large.bin": LARGE}
    said = Message.objects.get(conversation=copy)
    original = Message.objects.get(conversation=carried)
    assert said.tokens == original.tokens
    shown = selectors.message(copy, said.id)["parts"]
    assert [part["name"] for part in shown] == ["notes.txt", "绿.png", "large.bin"]
    assert not {part["id"] for part in shown} & {part["id"] for part in original.parts}
    assert set(File.objects.filter(conversation=copy).values_list("message", "uploader")) == {(said.id, bob.id)}
    replayed(copy)


def test_a_second_export_equals_the_first(bob: User, carried: UUID) -> None:
    first = [json.loads(line) for line in exported(carried).splitlines()]
    second = [json.loads(line) for line in exported(imported(bob, exported(carried))).splitlines()]
    assert [line["file"]["name"] for line in first if "file" in line] == ["notes.txt", "绿.png", "large.bin"]

    def plain(lines: list[Any]) -> str:
        events = [line for line in lines if "actor" in line]
        return anonymous([[line for line in lines if "actor" not in line], without_marks(events)])

    assert plain(first) == plain(second)


def test_a_transcript_names_them(carried: UUID) -> None:
    assert "- notes.txt\n- 绿.png\n- large.bin" in exported(carried, "md").decode()


def harmed(carried: UUID, change: Any) -> bytes:
    values = [json.loads(line) for line in exported(carried).splitlines()]
    place = next(number for number, value in enumerate(values) if "file" in value)
    change(values, place)
    return document(*values)


def cut(values: list[Any], place: int) -> None:
    del values[place + 1]


def spoil(values: list[Any], place: int) -> None:
    values[place + 1]["content"] = "?"


def lengthen(values: list[Any], place: int) -> None:
    values.insert(place + 1, values[place + 1])


def orphan(values: list[Any], place: int) -> None:
    del values[place]


def disguise(values: list[Any], place: int) -> None:
    values[place]["file"]["size"] = len(samples.PE)
    values[place + 1]["content"] = base64.b64encode(samples.PE).decode()


def repeat(values: list[Any], place: int) -> None:
    values[place:place] = values[place : place + 2]


def late(values: list[Any], place: int) -> None:
    values.append(values[place])


@pytest.mark.parametrize("harm", [cut, spoil, lengthen, orphan, disguise, repeat, late])
def test_what_is_not_right_is_refused(bob: User, carried: UUID, harm: Any) -> None:
    code, reason = refusal(bob, harmed(carried, harm))
    assert code == "invalid"
    assert reason.startswith(("File 1: ", "File 2: ", "Line "))
    assert not File.objects.filter(uploader=bob).exists()


def test_limits_hold_for_imports_too(bob: User, carried: UUID, settings: Settings) -> None:
    export = exported(carried)
    settings.FILES_MAX = 2
    assert "no room" in refusal(bob, export)[1]
    settings.FILE_MAX_BYTES = 100
    assert "at most 100 bytes" in refusal(bob, export)[1]
