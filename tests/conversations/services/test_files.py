"""Files as parts of messages, and what becomes of those that nobody attached."""

import io
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.crypto import CryptoError
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import eventlog, keys, selectors
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft
from conversations.files import content
from conversations.files.content import CHUNK_BYTES
from conversations.models import File, FileChunk, Message
from conversations.services import conversations, files, messages
from tests.conversations.support import at_once, check_numbers, frames, refusal, replayed


def put(user: User, conversation: UUID, held: bytes = b"Monday: plans", name: str = "notes.txt") -> File:
    return files.upload(user=user, conversation=conversation, given=files.Upload(io.BytesIO(held), len(held), name))


def part(file: File | UUID) -> dict[str, str]:
    return {"type": "file", "id": str(getattr(file, "id", file))}


def say(user: User, conversation: UUID, *carried: File, text: str = "", cmid: str = "") -> Committed:
    return messages.send(
        user=user, conversation=conversation, text=text, cmid=cmid or str(new_id()), parts=[*map(part, carried)]
    ).result(30)


def test_a_message_of_files_alone(alice: User, bob: User, conversation: UUID) -> None:
    notes, plan = put(alice, conversation), put(alice, conversation, b"# Plan", "计划.md")
    said = say(alice, conversation, notes, plan, cmid="1")
    assert said.main["data"]["parts"] == [part(notes), part(plan)]
    assert say(alice, conversation, notes, plan, cmid="1").dup
    shown = selectors.message(conversation, UUID(said.main["data"]["message"]))
    assert (shown["text"], [one["name"] for one in shown["parts"]]) == ("", ["notes.txt", "计划.md"])
    assert shown["parts"][1] == {
        **part(plan), "name": "计划.md", "mime": "text/markdown", "size": 6, "url": f"/api/v1/files/{plan.id}/",
    }  # fmt: skip
    notes.refresh_from_db()
    assert str(notes.message) == said.main["data"]["message"]
    replayed(conversation)


def test_other_parts_under_the_same_cmid_contradict(alice: User, conversation: UUID) -> None:
    notes, plan = put(alice, conversation), put(alice, conversation)
    say(alice, conversation, notes, cmid="1")
    again = messages.send(user=alice, conversation=conversation, text="", cmid="1", parts=[part(plan)])
    assert refusal(again) == "conflict"


@pytest.mark.parametrize(
    "parts",
    ["x", [1], [{}], [{"type": "file"}], [{"type": "file", "id": "x"}], [{"type": "image", "id": str(new_id())}], {}],
)
def test_parts_that_are_none(alice: User, conversation: UUID, parts: object) -> None:
    with pytest.raises(Problem) as refused:
        messages.send(user=alice, conversation=conversation, text="Hello", cmid="1", parts=parts)
    assert refused.value.code.name == "invalid"


def test_what_cannot_be_attached(alice: User, bob: User, conversation: UUID, settings: Settings) -> None:
    elsewhere = conversations.create(user=alice).result(30).conversation.id
    mine, of_bob, from_elsewhere = put(alice, conversation), put(bob, conversation), put(alice, elsewhere)

    def attempt(*parts: object, text: str = "Look") -> str:
        return refusal(messages.send(user=alice, conversation=conversation, text=text, cmid="1", parts=[*parts]))

    assert attempt(part(of_bob)) == "invalid"
    assert attempt(part(from_elsewhere)) == "invalid"
    assert attempt(part(new_id()), part(mine)) == "invalid"
    with pytest.raises(Problem, match="invalid"):
        attempt(part(mine), part(mine))
    with pytest.raises(Problem, match="invalid"):
        attempt(text="")
    settings.FILES_PER_MESSAGE = 1
    with pytest.raises(Problem, match="too_large"):
        attempt(part(mine), part(of_bob))
    assert check_numbers(conversation) == 2


def test_a_file_belongs_to_one_message(alice: User, conversation: UUID) -> None:
    notes = put(alice, conversation)

    def attach(number: int) -> str:
        sent = messages.send(user=alice, conversation=conversation, text="", cmid=f"m{number}", parts=[part(notes)])
        error = sent.exception(30)
        assert error is None or isinstance(error, Problem)
        return error.code.name if error else "sent"

    assert sorted(at_once(8, attach)) == ["conflict"] * 7 + ["sent"]
    assert len([frame for frame in frames(conversation) if frame["type"] == "message:new"]) == 1
    with pytest.raises(Problem) as refused:
        files.delete(user=alice, file=notes)
    assert refused.value.code.name == "conflict"


def test_attaching_and_deleting_at_once(alice: User, conversation: UUID) -> None:
    for turn in range(5):
        notes = put(alice, conversation)

        def act(number: int, notes: File = notes, turn: int = turn) -> str:
            try:
                if number == 0:
                    files.delete(user=alice, file=notes)
                    return "deleted"
                say(alice, conversation, notes, cmid=f"t{turn}")
            except Problem as problem:
                return problem.code.name
            return "sent"

        assert at_once(2, act) in (["deleted", "invalid"], ["conflict", "sent"])
        carried = Message.objects.filter(conversation=conversation, parts__contains=[part(notes)]).exists()
        assert carried == File.objects.filter(id=notes.id).exists()


def test_what_nobody_attached_is_cleared_away(alice: User, conversation: UUID, settings: Settings) -> None:
    old, fresh, carried = put(alice, conversation), put(alice, conversation), put(alice, conversation)
    say(alice, conversation, carried)
    long_ago = old.created_at - timedelta(hours=settings.FILE_UNATTACHED_HOURS, minutes=1)
    File.objects.filter(id__in=[old.id, carried.id]).update(created_at=long_ago)
    files.clear_unattached()
    assert set(File.objects.filter(conversation=conversation).values_list("id", flat=True)) == {fresh.id, carried.id}
    assert not FileChunk.objects.filter(file=old.id).exists()


def test_the_file_of_a_deleted_message_goes_with_it(alice: User, bob: User, conversation: UUID) -> None:
    notes = put(alice, conversation)
    said = say(alice, conversation, notes)
    gone = Draft("message:delete", {"message": said.main["data"]["message"]})
    eventlog.append(Append(conversation, Actor.of(alice), "gone", lambda state: Decision([gone]), drafts=[gone]))
    assert selectors.message(conversation, UUID(said.main["data"]["message"]))["parts"] == []
    assert not selectors.files(conversation).exists()
    with pytest.raises(Problem, match="not_found"):
        selectors.file_for(bob, notes.id)


def test_nothing_is_stored_in_clear(alice: User, conversation: UUID) -> None:
    put(alice, conversation, b"secret plans", "secret name.txt")
    for table in ("file", "filechunk"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT t::text FROM conversations_{table} t")
            stored = "".join(row[0] for row in cursor.fetchall())
        assert "secret" not in stored
        assert b"secret".hex() not in stored


def swap(file: File) -> None:
    first, second = FileChunk.objects.filter(file=file).order_by("number")[:2]
    FileChunk.objects.filter(file=file, number=0).update(data=second.data)
    FileChunk.objects.filter(file=file, number=1).update(data=first.data)


def cut(file: File) -> None:
    FileChunk.objects.filter(file=file, number=2).delete()
    File.objects.filter(id=file.id).update(size=2 * CHUNK_BYTES)


def lose(file: File) -> None:
    FileChunk.objects.filter(file=file, number=1).delete()


def move(file: File) -> None:
    other = put(file.uploader, file.conversation_id, b"x" * file.size)  # type: ignore[arg-type]
    FileChunk.objects.filter(file=file, number=1).delete()
    FileChunk.objects.filter(file=other, number=1).update(file=file)


@pytest.mark.parametrize("harm", [swap, cut, lose, move])
def test_changed_content_is_found_out(alice: User, conversation: UUID, harm: object) -> None:
    row = put(alice, conversation, b"abc" * CHUNK_BYTES)
    key = keys.of(conversation)
    assert b"".join(content.pieces(row, key)) == b"abc" * CHUNK_BYTES
    harm(row)  # type: ignore[operator]
    row.refresh_from_db()
    with pytest.raises(CryptoError):
        list(content.pieces(row, key))
