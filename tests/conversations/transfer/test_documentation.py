"""The files that docs/export-import.md shows can be imported."""

import json

import pytest

from accounts.models import User
from conversations import selectors
from conversations.models import Message
from tests.conversations.transfer.importing import document, imported
from tests.docs.pages import code, section, text

PAGE = "export-import.md"


def test_the_file(alice: User) -> None:
    header, message = map(json.loads, code(section(text(PAGE), "The file"), "json"))
    new = {**message, "type": "conversation:new", "seq": 1, "id": message["data"]["message"]}
    new["data"] = {"title": None, "assistant": None, "metadata": {}}

    id_ = imported(alice, document(header, new, message))
    assert [selectors.message_text(row) for row in Message.objects.filter(conversation=id_)] == ["Hello"]


@pytest.mark.parametrize("heading", ["Chainlit", "ChatGPT"])
def test_files_of_others(alice: User, heading: str) -> None:
    [example] = code(section(text(PAGE), heading), "json")

    rows = Message.objects.filter(conversation=imported(alice, example.encode())).order_by("seq")
    assert [selectors.message_text(row) for row in rows] == ["How long?", "Three minutes."]
