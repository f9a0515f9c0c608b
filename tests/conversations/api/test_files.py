"""Files over HTTP: upload, list, download, delete; for members only, and never run by a browser."""

import io
from urllib.parse import quote
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.files.content import CHUNK_BYTES
from conversations.models import File, FileChunk
from conversations.services import conversations, files, members
from tests.api import Answer, Api
from tests.conversations.files import samples
from tests.conversations.transfer.files import ask
from tests.sockets import Socket

LARGE = bytes(range(256)) * (CHUNK_BYTES // 256 * 2) + b"the end"


@pytest.fixture
def uploaded(as_alice: Api, conversation: UUID) -> Answer:
    return as_alice.upload(conversation, LARGE, "large.bin")


def test_a_file_comes_back_as_it_was(as_alice: Api, as_bob: Api, conversation: UUID) -> None:
    answer = as_alice.upload(conversation, b"Monday: plans", "notes.txt", "image/png")
    assert answer.status == 201
    row = answer.json
    assert (row["name"], row["type"], row["size"]) == ("notes.txt", "text/plain", 13)
    assert (row["conversation"], row["message"]) == (str(conversation), None)
    content = as_bob.get(f"files/{row['id']}/")
    assert (content.status, content.body, content.type) == (200, b"Monday: plans", "text/plain")
    assert as_bob.get(f"files/{row['id']}/?meta=1").json == row
    assert as_bob.get(f"files/?conversation={conversation}").json["results"] == [row]


@pytest.mark.parametrize("size", [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_sizes_around_a_chunk(as_alice: Api, conversation: UUID, size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    row = as_alice.upload(conversation, content, "a.bin").json
    assert as_alice.get(f"files/{row['id']}/").body == content
    assert FileChunk.objects.filter(file=row["id"]).count() == -(-size // CHUNK_BYTES)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-", 5, len(LARGE) - 1),
        ("bytes=-7", len(LARGE) - 7, len(LARGE) - 1),
        (f"bytes={CHUNK_BYTES - 2}-{CHUNK_BYTES + 1}", CHUNK_BYTES - 2, CHUNK_BYTES + 1),
        (f"bytes=10-{10**14}", 10, len(LARGE) - 1),
    ],
)
def test_a_range(as_alice: Api, uploaded: Answer, asked: str, first: int, last: int) -> None:
    answer = as_alice.get(f"files/{uploaded.json['id']}/", Range=asked)
    assert (answer.status, answer.body) == (206, LARGE[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(LARGE)}"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=-0", "bytes=-", "lines=1-2", "bytes=9-8", f"bytes={10**9}-", "bytes=0-1,3-4"])
def test_other_ranges_are_ignored(as_alice: Api, uploaded: Answer, asked: str) -> None:
    answer = as_alice.get(f"files/{uploaded.json['id']}/", Range=asked)
    assert (answer.status, answer.body) == (200, LARGE)


def test_head_tells_size_and_name_alone(as_alice: Api, uploaded: Answer) -> None:
    answer = as_alice.request("HEAD", f"files/{uploaded.json['id']}/", None, {})
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", str(len(LARGE)))


def test_what_is_accepted_does_not_matter(as_alice: Api, uploaded: Answer) -> None:
    assert as_alice.get(f"files/{uploaded.json['id']}/", Accept="image/webp").status == 200


@pytest.mark.parametrize(
    ("content", "name", "type_", "served"),
    [
        (samples.HTML, "page.html", "text/html", "application/octet-stream"),
        (samples.SVG, "drawing.svg", "image/svg+xml", "application/octet-stream"),
        (samples.SVG, "photo.png", "image/svg+xml", "application/octet-stream"),
        (b"<?xml version='1.0'?><a/>", "a.xml", "application/xml", "application/octet-stream"),
        (samples.GIF_THAT_IS_A_SCRIPT, "a.js", "image/gif", "image/gif"),
        (samples.PDF_THAT_IS_A_PAGE, "a.html", "application/pdf", "application/pdf"),
        (samples.PNG, "a.png", "image/png", "image/png"),
    ],
)
def test_nothing_runs_in_a_browser(
    as_alice: Api, conversation: UUID, content: bytes, name: str, type_: str, served: str
) -> None:
    row = as_alice.upload(conversation, content, name, "text/html").json
    assert row["type"] == type_
    answer = as_alice.get(f"files/{row['id']}/")
    assert (answer.body, answer.type) == (content, served)
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_chinese_name(as_alice: Api, conversation: UUID) -> None:
    row = as_alice.upload(conversation, b"x", "../会议\u202e 记录.txt").json
    assert row["name"] == "会议 记录.txt"
    value = as_alice.get(f"files/{row['id']}/").headers["Content-Disposition"]
    assert value == f"attachment; filename*=utf-8''{quote('会议 记录.txt')}"


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "empty.txt", "invalid"),
        (b"x", "..", "invalid"),
        (samples.PE, "report.pdf", "unsupported"),
        (samples.ELF, "photo.png", "unsupported"),
    ],
)
def test_refused(as_alice: Api, conversation: UUID, content: bytes, name: str, code: str) -> None:
    assert as_alice.upload(conversation, content, name).code == code
    assert not File.objects.filter(conversation=conversation).exists()
    assert not FileChunk.objects.filter(file__conversation=conversation).exists()


def test_a_byte_too_many(as_alice: Api, conversation: UUID, settings: Settings) -> None:
    settings.FILE_MAX_BYTES = 1000
    assert as_alice.upload(conversation, b"x" * 1000).status == 201
    assert as_alice.upload(conversation, b"x" * 1001).code == "too_large"


def test_no_room_for_more(as_alice: Api, conversation: UUID, settings: Settings) -> None:
    settings.FILES_MAX_BYTES = 1000
    assert as_alice.upload(conversation, b"x" * 600).status == 201
    assert as_alice.upload(conversation, b"x" * 401).code == "quota_exceeded"
    settings.FILES_MAX = 2
    assert as_alice.upload(conversation, b"x" * 400).status == 201
    settings.FILES_MAX_BYTES = 10_000
    assert as_alice.upload(conversation, b"x").code == "quota_exceeded"
    assert FileChunk.objects.filter(file__conversation=conversation).count() == 2


def test_only_some_types(as_alice: Api, conversation: UUID, settings: Settings) -> None:
    settings.FILE_TYPES = ["image/*", "application/pdf"]
    assert as_alice.upload(conversation, b"text").code == "unsupported"
    assert as_alice.upload(conversation, samples.PNG).status == 201


def test_forms_that_are_none(as_alice: Api, conversation: UUID) -> None:
    form = f"?conversation={conversation}"
    assert as_alice.post("files/", {"conversation": str(conversation)}).code == "unsupported"
    for boundary, body in (("b", b"--b\r\n"), ("b", b""), ("", b"x"), ("b", b"\xff" * 100)):
        answer = as_alice.request("POST", "files/", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        assert answer.code == "invalid"
    assert as_alice.upload("nonsense", b"x").code == "invalid"
    assert as_alice.upload(new_id(), b"x").code == "not_found"
    assert as_alice.get("files/").code == "invalid"
    assert as_alice.get(f"files/{form}&cursor=x").code == "invalid"


def test_strangers_know_of_nothing(as_mallory: Api, as_nobody: Api, conversation: UUID, uploaded: Answer) -> None:
    path = f"files/{uploaded.json['id']}/"
    for refused in (
        as_mallory.get(path),
        as_mallory.get(f"{path}?meta=1"),
        as_mallory.delete(path),
        as_mallory.upload(conversation, b"x"),
        as_mallory.get(f"files/?conversation={conversation}"),
        as_mallory.get(f"files/{new_id()}/"),
    ):
        assert (refused.status, refused.code) == (404, "not_found")
    assert as_nobody.get(path).code == "unauthenticated"
    assert as_nobody.upload(conversation, b"x").code == "unauthenticated"


def test_viewers_read_and_the_removed_do_not(
    as_alice: Api, as_mallory: Api, alice: User, mallory: User, conversation: UUID, uploaded: Answer
) -> None:
    path = f"files/{uploaded.json['id']}/"
    members.add(actor=alice, conversation=conversation, user=mallory.id, role="viewer").result()
    assert as_mallory.get(path).status == 200
    assert as_mallory.upload(conversation, b"x").code == "forbidden"
    members.remove(actor=alice, conversation=conversation, user=mallory.id).result()
    assert as_mallory.get(path).code == "not_found"


def test_taking_a_file_back(as_alice: Api, as_bob: Api, conversation: UUID) -> None:
    of_alice = f"files/{as_alice.upload(conversation, b'a').json['id']}/"
    of_bob = f"files/{as_bob.upload(conversation, b'b').json['id']}/"
    assert as_bob.delete(of_alice).code == "forbidden"
    assert as_alice.delete(of_alice).status == 204
    assert as_alice.delete(of_bob).status == 204
    assert as_alice.get(of_bob).code == "not_found"
    assert not FileChunk.objects.filter(file__conversation=conversation).exists()


def test_the_same_request_again(as_alice: Api, conversation: UUID) -> None:
    first = as_alice.upload(conversation, b"a", Idempotency_Key="k").json
    assert as_alice.upload(conversation, b"a", Idempotency_Key="k").json == first
    assert as_alice.upload(conversation, b"b", Idempotency_Key="k").code == "idempotency_mismatch"
    assert as_alice.upload(conversation, b"a").json["id"] != first["id"]


def test_a_closed_conversation_takes_no_files(as_alice: Api, alice: User, conversation: UUID) -> None:
    conversations.update(user=alice, conversation=conversation, changes={"status": "closed"}).result()
    assert as_alice.upload(conversation, b"x").code == "conversation_closed"


def test_a_message_with_files(as_alice: Api, as_bob: Api, conversation: UUID) -> None:
    id_ = as_alice.upload(conversation, b"Monday").json["id"]
    parts = [{"type": "file", "id": id_}]
    path = f"conversations/{conversation}/messages/"
    assert as_bob.post(path, {"text": "", "parts": parts}).code == "invalid"
    said = as_alice.post(path, {"text": "", "parts": parts, "cmid": "1"}).json
    assert said["event"]["data"]["parts"] == parts
    [part] = said["message"]["parts"]
    assert (part["id"], part["name"], part["mime"], part["size"]) == (id_, "notes.txt", "text/plain", 6)
    assert as_bob.get(part["url"].removeprefix("/api/v1/")).body == b"Monday"
    assert as_alice.get(f"files/{id_}/?meta=1").json["message"] == said["message"]["id"]
    assert as_alice.post(path, {"text": "", "parts": parts, "cmid": "1"}).json["dup"]
    assert as_alice.post(path, {"text": "More", "parts": parts}).code == "conflict"
    assert as_alice.post(path, {"text": ""}).code == "invalid"
    assert as_alice.delete(f"files/{id_}/").code == "conflict"
    first = {"text": "x", "parts": parts}
    assert as_alice.post("conversations/", {"message": first}).code == "invalid"


async def test_whoever_is_removed_in_the_middle_gets_no_more(alice: User, bob: User, conversation: UUID) -> None:
    given = files.Upload(io.BytesIO(LARGE), len(LARGE), "large.bin")
    row = await in_thread(lambda: files.upload(user=alice, conversation=conversation, given=given))
    pieces = aiter((await ask(bob, f"files/{row.id}/")).streaming_content)
    assert await anext(pieces) == LARGE[:CHUNK_BYTES]
    await in_thread(lambda: members.remove(actor=alice, conversation=conversation, user=bob.id).result(30))
    with pytest.raises(Problem):
        await anext(pieces)


async def test_a_socket_sends_files_too(alice: User, conversation: UUID, alice_socket: Socket) -> None:
    given = files.Upload(io.BytesIO(b"Monday"), 6, "notes.txt")
    row = await in_thread(lambda: files.upload(user=alice, conversation=conversation, given=given))
    parts = [{"type": "file", "id": str(row.id), "name": "ignored"}]
    place = str(conversation)
    await alice_socket.say(type="send", ref=1, conversation=place, cmid="1", text="", parts=parts)
    assert (await alice_socket.hear("sent"))["cmid"] == "1"
    await alice_socket.say(type="send", ref=2, conversation=place, cmid="2", text="", parts=parts)
    assert (await alice_socket.hear("error"))["code"] == "conflict"
    await alice_socket.say(type="send", ref=3, conversation=place, cmid="3", text="x", parts=[{"type": "image"}])
    assert (await alice_socket.hear("error"))["code"] == "invalid"


def test_pages_of_files(as_alice: Api, conversation: UUID) -> None:
    made = [as_alice.upload(conversation, b"x", f"{n}.txt").json["id"] for n in range(5)]
    path, found = f"files/?conversation={conversation}&limit=2", []
    while path:
        page = as_alice.get(path).json
        found += [row["id"] for row in page["results"]]
        path = (page["next"] or "").removeprefix("http://testserver/api/v1/")
    assert found == made[::-1]
