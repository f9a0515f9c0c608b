"""Importing by HTTP: a file in a form, a conversation as the answer."""

from uuid import UUID

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import override_settings

from accounts.models import User
from tests.api import Answer, Api
from tests.conversations.transfer.importing import exported
from tests.conversations.transfer.uploads import upload


def test_a_file_becomes_a_conversation(as_alice: Api, alice: User, conversation: UUID) -> None:
    answer = upload(as_alice, exported(conversation))

    assert answer.status == 201
    assert (answer.json["title"], answer.json["role"], answer.json["head"]) == ("Plans", "owner", 2)
    assert answer.json["id"] != str(conversation)
    assert answer.json["imported"] == [{"id": answer.json["id"], "title": "Plans", "head": 2}]
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'
    assert as_alice.get(f"conversations/{answer.json['id']}/members/").json["results"][0]["user"]["id"] == str(alice.id)


def test_the_name_of_the_file_says_nothing(as_alice: Api, conversation: UUID) -> None:
    assert upload(as_alice, exported(conversation, "json"), name="../../x.exe").status == 201


def test_the_same_key_twice_imports_once(as_alice: Api, conversation: UUID) -> None:
    file = exported(conversation)
    first, again = (upload(as_alice, file, Idempotency_Key="one") for _ in range(2))

    assert (again.status, again.json["id"]) == (201, first.json["id"])
    assert upload(as_alice, file + b"\n", Idempotency_Key="one").code == "idempotency_mismatch"


def test_what_is_no_form_with_a_file(as_alice: Api) -> None:
    assert as_alice.post("conversations/import/", {"file": "x"}).code == "unsupported"
    body = encode_multipart(BOUNDARY, {"other": "x"})
    assert as_alice.request("POST", "conversations/import/", body, {"Content_Type": MULTIPART_CONTENT}).json[
        "errors"
    ] == {"file": ["Send the file as the multipart field `file`."]}
    assert upload(as_alice, b"").code == "invalid"
    assert upload(as_alice, b"hello").json["errors"] == {
        "file": ["The file is neither an export of ours nor one of Chainlit or ChatGPT."]
    }


def test_a_file_that_is_too_large(as_alice: Api, conversation: UUID) -> None:
    with override_settings(IMPORT_MAX_BYTES=100):
        assert upload(as_alice, exported(conversation)).code == "too_large"


def test_places_in_the_file_are_told(as_alice: Api, conversation: UUID) -> None:
    answer: Answer = upload(as_alice, exported(conversation).replace(b'"seq":2', b'"seq":3'))

    assert (answer.status, answer.code) == (400, "invalid")
    assert answer.json["errors"] == {"file": ["Line 3: seq 2 was expected here, not 3"]}
