"""Parts of types of one's own: the schema, what is shown, and the words for who does not know them."""

import importlib.util
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import messagetypes, selectors
from conversations.models import Event, Message
from conversations.services import messages, revisions
from tests.api import Api
from tests.conversations.support import frames, refusal, replayed
from tests.docs.pages import code, text
from tests.sockets import Socket

DINNER = {"question": "Dinner?", "choices": ["Soup", "<b>Cake</b>"]}
WORDS = "Dinner?\n- Soup\n- <b>Cake</b>"
TEMPLATE = """<p onclick="steal()">{{ value.question }}</p><script>steal()</script>
<ul>{% for choice in value.choices %}<li>{{ choice }}</li>{% endfor %}</ul><img src="https://example.com/x">"""


@pytest.fixture
def poll(tmp_path: Path) -> Iterator[Any]:
    """The type that docs/actions.md shows, with a template that does what templates should not."""
    source = next(block for block in code(text("actions.md"), "python") if "POLL =" in block)
    path = tmp_path / "shop_types.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("shop_types", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "poll.html").write_text(TEMPLATE)
    messagetypes.register("poll", module.POLL)
    engine: dict[str, Any] = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path]}
    with override_settings(TEMPLATES=[engine]):
        yield module.POLL
    messagetypes._registered.clear()
    messagetypes.table.cache_clear()


def part(value: Any = DINNER, type_: str = "poll") -> dict[str, Any]:
    return {"type": type_, "value": value}


def test_a_part_is_shown_by_its_template_made_safe_and_said_in_words(
    as_alice: Api, conversation: UUID, poll: Any
) -> None:
    sent = as_alice.post(f"conversations/{conversation}/messages/", {"text": "Well:", "parts": [part()]})
    assert sent.status == 201
    message = sent.json["message"]
    assert message["text"] == f"Well:\n\n{WORDS}"
    [shown] = message["parts"]
    assert (shown["type"], shown["value"]) == ("poll", DINNER)
    for html in (message["html"], shown["html"]):
        assert "<li>&lt;b&gt;Cake&lt;/b&gt;</li>" in html
        assert not any(word in html for word in ("steal", "script", "onclick", "img"))
    assert message["html"].count("Soup") == 1, "not in words, too"
    assert "Well:" in message["html"]
    assert sent.json["event"]["data"]["custom"] == [part()]
    replayed(conversation)


def test_it_is_sealed_at_rest(as_alice: Api, conversation: UUID, poll: Any) -> None:
    as_alice.post(f"conversations/{conversation}/messages/", {"text": "", "parts": [part()]})
    event = Event.objects.get(conversation=conversation, type="message:new")
    row = Message.objects.get(conversation=conversation)
    assert "Soup" not in str(event.data) + str(row.custom) + str(row.parts)
    assert row.custom


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([part(type_="party")], ["file", "poll"]),
        ([part({"question": "Dinner?"})], ["poll", "choices"]),
        ([part(["x"])], ["poll"]),
        ([{"type": "poll"}], ["poll"]),
        ([{"type": 7, "value": {}}], ["file"]),
    ],
)
def test_what_is_refused(alice: User, conversation: UUID, poll: Any, parts: Any, words: list[str]) -> None:
    with pytest.raises(Problem) as refused:
        messages.send(user=alice, conversation=conversation, text="Hi", cmid="1", parts=parts)
    assert refused.value.code.name == "invalid"
    assert all(word in str(refused.value.errors) for word in words)


def test_too_many(alice: User, conversation: UUID, poll: Any) -> None:
    with pytest.raises(Problem) as refused:
        messages.send(user=alice, conversation=conversation, text="", cmid="1", parts=[part()] * 6)
    assert refused.value.code.name == "too_large"


async def test_over_a_socket(alice_socket: Socket, conversation: UUID, poll: Any) -> None:
    where = {"type": "send", "conversation": str(conversation), "text": ""}
    await alice_socket.say(**where, ref=1, cmid="1", parts=[part()])
    assert (await alice_socket.hear("sent"))["ref"] == 1
    await alice_socket.say(**where, ref=2, cmid="2", parts=[part(type_="party")])
    assert (await alice_socket.hear("error"))["code"] == "invalid"


def test_where_the_type_is_gone_or_the_text_was_changed_there_are_the_words(
    alice: User, conversation: UUID, poll: Any
) -> None:
    sent = messages.send(user=alice, conversation=conversation, text="", cmid="1", parts=[part()]).result(30)
    id_ = UUID(sent.main["data"]["message"])
    revisions.edit(user=alice, conversation=conversation, message=id_, text="Never mind").result(30)
    edited = selectors.message(conversation, id_, alice)
    assert (edited["html"].strip(), edited["parts"][0]["html"]) == ("<p>Never mind</p>", "")
    again = messages.send(user=alice, conversation=conversation, text="", cmid="2", parts=[part()]).result(30)
    messagetypes._registered.clear()
    messagetypes.table.cache_clear()
    shown = selectors.message(conversation, UUID(again.main["data"]["message"]), alice)
    assert "Soup" in shown["html"]
    assert shown["parts"][0]["value"] == DINNER
    replayed(conversation)


def test_a_deleted_message_shows_none(alice: User, conversation: UUID, poll: Any) -> None:
    sent = messages.send(user=alice, conversation=conversation, text="", cmid="1", parts=[part()]).result(30)
    id_ = UUID(sent.main["data"]["message"])
    revisions.delete(user=alice, conversation=conversation, message=id_).result(30)
    assert selectors.message(conversation, id_, alice)["parts"] == []


def test_the_same_again_is_the_same_and_another_value_is_not(alice: User, conversation: UUID, poll: Any) -> None:
    def send(value: Any) -> Any:
        return messages.send(user=alice, conversation=conversation, text="", cmid="1", parts=[part(value)])

    first = send(DINNER).result(30)
    assert send(DINNER).result(30).main == first.main
    assert refusal(send({"question": "Lunch?", "choices": []})) == "conflict"


def test_it_goes_with_an_export_and_comes_with_an_import(as_alice: Api, conversation: UUID, poll: Any) -> None:
    as_alice.post(f"conversations/{conversation}/messages/", {"text": "", "parts": [part()]})
    file = as_alice.get(f"conversations/{conversation}/export/?format=jsonl").body
    made = _import(as_alice, file)
    copy = [frame["data"] for frame in frames(UUID(made)) if frame["type"] == "message:new"]
    assert copy[0]["custom"] == [part()]
    shown = as_alice.get(f"conversations/{made}/messages/").json["results"][0]
    assert shown["parts"][0]["value"] == DINNER
    assert as_alice.get(f"search/?q=Soup&conversation={made}").json["results"]
    replayed(UUID(made))


def _import(api: Api, file: bytes) -> str:
    boundary = "between-the-parts"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.jsonl"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    form = head.encode() + file + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return str(api.request("POST", "conversations/import/", form, headers).json["id"])


def test_entry_points_and_settings_name_them_too(monkeypatch: pytest.MonkeyPatch, poll: Any) -> None:
    found = EntryPoint("plugged", f"{__name__}:POLL", messagetypes.GROUP)
    monkeypatch.setattr(messagetypes, "entry_points", lambda group: [found])
    messagetypes.table.cache_clear()
    with override_settings(MESSAGE_TYPES={"mine": f"{__name__}.POLL"}):
        assert set(messagetypes.table()) == {"plugged", "mine", "poll"}
    messagetypes.table.cache_clear()


POLL = messagetypes.MessageType({"type": "object"}, "poll.html", lambda value: "A poll.")
