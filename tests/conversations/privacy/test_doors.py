"""Whatever the door, what must not be kept is not stored, not sent and not told; and sending again is harmless."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings
from prometheus_client import REGISTRY
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations import selectors, wire
from conversations.assistants import chunks, runner
from conversations.models import Conversation, Event, Message, Run
from conversations.services import roomstate, runs, sessions
from conversations.transfer import exporting
from tests.api import Api
from tests.conversations.assistants.support import ask, conversation_with
from tests.conversations.privacy.leaky import REDACTED
from tests.conversations.privacy.numbers import digits_of
from tests.conversations.support import frames, replayed, texts
from tests.conversations.transfer.importing import imported
from tests.conversations.views.visitor import Visitor
from tests.realtime.support import join
from tests.sockets import Socket

CARD = "4111 1111 1111 1111"
SSN = "123-45-6789"
BOTH = f"我的卡号是{CARD}，SSN {SSN}。"
CLEAN = "我的卡号是[REDACTED]，SSN [REDACTED]。"


@pytest.fixture
def leaky() -> Iterator[None]:
    """Assistants that say too much."""
    here = "tests.conversations.privacy.leaky"
    with override_settings(ASSISTANTS={"leaky": f"{here}.Leaky", "failing": f"{here}.Failing"}):
        yield


def nothing_in_clear(conversation: UUID) -> None:
    """Neither in the log, opened, nor in what the rows hold unsealed; and a rebuild gives the same."""
    told = json.dumps(frames(conversation), ensure_ascii=False)
    rows = [
        *Event.objects.filter(conversation=conversation).values(),
        Conversation.objects.filter(id=conversation).values(),
    ]
    for text in (told, json.dumps(rows, default=str)):
        assert "4111111111111111" not in digits_of(text)
        assert SSN not in text
    replayed(conversation)


def counted(pattern: str, policy: str) -> float:
    return REGISTRY.get_sample_value("privacy_findings_total", {"pattern": pattern, "policy": policy}) or 0


def test_a_message(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/messages/"
    before = counted("credit_card", "redact"), counted("us_ssn", "redact")
    said = as_alice.post(path, {"text": BOTH, "cmid": "1"})
    assert said.status == 201
    message = said.json["message"]
    assert (message["text"], message["redacted"], message["sensitive"]) == (CLEAN, True, True)
    assert (said.json["event"]["data"]["text"], said.json["event"]["data"]["redacted"]) == (CLEAN, True)
    assert (counted("credit_card", "redact"), counted("us_ssn", "redact")) == (before[0] + 1, before[1] + 1)
    assert as_alice.get(f"conversations/{conversation}/").json["sensitive"] == 1
    nothing_in_clear(conversation)


def test_a_plain_message_has_no_mark(as_alice: Api, conversation: UUID) -> None:
    said = as_alice.post(f"conversations/{conversation}/messages/", {"text": "Order 2024112100123456"}).json
    assert (said["message"]["redacted"], said["message"]["sensitive"]) == (False, False)
    assert not {"redacted", "sensitive"} & said["event"]["data"].keys()


def test_the_same_text_again_is_the_same_message(as_alice: Api, conversation: UUID) -> None:
    """The repetition is told by what the client sent, not by what was left of it."""
    path = f"conversations/{conversation}/messages/"
    first = as_alice.post(path, {"text": BOTH, "cmid": "1"}).json
    again = as_alice.post(path, {"text": BOTH, "cmid": "1"})
    assert (again.status, again.json["dup"], again.json["event"]) == (201, True, first["event"])
    other = as_alice.post(path, {"text": BOTH.replace(CARD, "5555 5555 5555 4444"), "cmid": "1"})
    assert other.code == "conflict"


def test_a_key_tells_cards_apart(as_alice: Api) -> None:
    def begin(card: str) -> Any:
        return as_alice.post("conversations/", {"title": f"Card {card}", "message": "Hi"}, Idempotency_Key="k")

    assert begin(CARD).json["id"] == begin(CARD).json["id"]
    assert begin("5555 5555 5555 4444").code == "idempotency_mismatch"


def test_a_conversation_with_its_title_metadata_and_first_message(as_alice: Api) -> None:
    begun = as_alice.post(
        "conversations/",
        {
            "title": f"Card {CARD}",
            "metadata": {"note": BOTH, "card": 4111111111111111, "ssn": "123456789", "list": [CARD], "order": 20241121},
            "message": {"text": BOTH, "cmid": "1"},
        },
    ).json
    assert begun["title"] == "Card [REDACTED]"
    assert begun["metadata"] == {
        "note": CLEAN, "card": "[REDACTED]", "ssn": "[REDACTED]", "list": ["[REDACTED]"], "order": 20241121,
    }  # fmt: skip
    assert begun["sensitive"] == 2, "its beginning and the message"
    nothing_in_clear(UUID(begun["id"]))


def test_changes(as_alice: Api, conversation: UUID) -> None:
    changed = as_alice.patch(f"conversations/{conversation}/", {"title": CARD, "tags": [CARD], "metadata": {CARD: SSN}})
    assert (changed.json["title"], changed.json["tags"]) == ("[REDACTED]", ["[REDACTED]"])
    assert changed.json["metadata"] == {"[REDACTED]": "[REDACTED]"}
    nothing_in_clear(conversation)


def test_edits_and_comments(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/messages/"
    message = as_alice.post(path, {"text": "Hello"}).json["message"]["id"]
    edited = as_alice.patch(f"{path}{message}/", {"text": BOTH}).json
    assert (edited["text"], edited["redacted"], edited["sensitive"]) == (CLEAN, True, True)
    comment = as_alice.request("PUT", f"{path}{message}/feedback/", {"rating": "up", "comment": BOTH}, {})
    assert comment.json["comment"] == CLEAN
    assert as_alice.get(f"conversations/{conversation}/").json["sensitive"] == 2
    plain = as_alice.patch(f"{path}{message}/", {"text": "Hello again"}).json
    assert (plain["redacted"], plain["sensitive"]) == (False, False)
    nothing_in_clear(conversation)


def test_what_is_imported(as_alice: Api, conversation: UUID, settings: Settings) -> None:
    """A file from where everything is stored, into where it is not."""
    settings.PRIVACY_POLICY = "store"
    as_alice.post(f"conversations/{conversation}/messages/", {"text": BOTH})
    file = b"".join(exporting.FORMS["jsonl"].write(Conversation.objects.get(id=conversation)))
    assert CARD in file.decode()
    settings.PRIVACY_POLICY = "redact"
    owner = Conversation.objects.get(id=conversation).owner
    made = imported(owner, file)
    assert texts(made) == [CLEAN]
    nothing_in_clear(made)


def test_beside_the_log(alice: User, conversation: UUID) -> None:
    roomstate.set_state(
        user=alice, conversation=conversation, client_id="c", key="draft", value={"t": BOTH}, vector={"c": 1}, wall=0
    )
    assert selectors.room_state(conversation)["draft"]["value"] == {"t": CLEAN}
    session = sessions.begin_http(user=alice, conversation=conversation, data={"note": BOTH})
    assert session.data == {"note": CLEAN}
    assert sessions.change_data(session=session, data={"ssn": "123456789"}).data == {"ssn": "[REDACTED]"}


def test_the_page(alice: User, conversation: UUID) -> None:
    visitor = Visitor(alice)
    visitor.post(f"/c/{conversation}/", message=BOTH, once="1")
    visitor.get(f"/c/{conversation}/")
    assert CLEAN in visitor.page
    nothing_in_clear(conversation)


async def test_the_socket(alice_socket: Socket, bob_socket: Socket, conversation: UUID) -> None:
    await join(alice_socket, conversation)
    await join(bob_socket, conversation)
    await alice_socket.say(type="send", ref="s", conversation=str(conversation), cmid="1", text=BOTH)
    assert (await alice_socket.hear("sent"))["dup"] is False
    assert (await bob_socket.hear("message:new"))["data"]["text"] == CLEAN
    await in_thread(nothing_in_clear, conversation)


@pytest.mark.usefixtures("leaky")
async def test_an_answer_is_screened_while_it_is_written(alice: User, alice_socket: Socket) -> None:
    """Every delta, every step and the end; what a client holds is a prefix of the end."""
    conversation = await in_thread(conversation_with, alice, "leaky")
    await join(alice_socket, conversation)
    await in_thread(ask, alice, conversation)
    await runner.take_turn(conversation)
    held, heard = "", [await alice_socket.hear()]
    while heard[-1]["type"] != "run:end":
        heard.append(await alice_socket.hear())
        if heard[-1]["type"] == "delta":
            assert heard[-1]["offset"] == len(held)
            held += heard[-1]["text"]
    end = heard[-1]["data"]
    assert (held, end["text"], end["redacted"]) == (REDACTED, REDACTED, True)
    assert end["sources"] == [{"title": "Statement of [REDACTED]"}]
    steps = [frame["data"] for frame in heard if frame["type"] == "run:step"]
    assert steps[-1]["input"] == {"card": "[REDACTED]", "ssn": "[REDACTED]"}
    assert steps[-1]["output"] == {"receipt": ["paid with [REDACTED]"]}
    assert "4111" not in digits_of(json.dumps([frame.get("text", frame.get("data")) for frame in heard]))
    message = await Message.objects.aget(conversation=conversation, role="assistant")
    assert (message.redacted, message.sensitive) == (True, True)
    await in_thread(nothing_in_clear, conversation)


@pytest.mark.usefixtures("leaky")
async def test_an_answer_that_fails(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "failing")
    run = await in_thread(ask, alice, conversation)
    await runner.take_turn(conversation)
    end = (await in_thread(frames, conversation))[-1]["data"]
    assert (end["text"], end["status"]) == (f"{REDACTED} And 4111 1111", "failed")
    assert end["error"]["message"] == "No such card: [REDACTED]"
    assert (await in_thread(wire.run, await Run.objects.aget(id=run.id)))["error"] == end["error"]
    await in_thread(nothing_in_clear, conversation)


async def test_an_answer_that_is_stopped_keeps_its_mark(alice: User) -> None:
    """Its text comes from the store, where it is screened already; an answer is not screened twice."""
    conversation = await in_thread(conversation_with, alice)
    run = await in_thread(ask, alice, conversation)
    claim = await in_thread(lambda: runs.claim(conversation=conversation, worker="test"))
    assert claim
    await asyncio.wrap_future(chunks.store(chunks.Piece(claim, "Paid with [REDACTED], again ", 0)))
    await asyncio.wrap_future(runs.stop(user=alice, run=run))
    end = (await in_thread(frames, conversation))[-1]["data"]
    assert (end["text"], end["redacted"], end["sensitive"]) == ("Paid with [REDACTED], again ", True, True)


@pytest.mark.usefixtures("leaky")
def test_refuse(settings: Settings, as_alice: Api, conversation: UUID) -> None:
    """Nothing is stored of what a person sends; what an assistant says is redacted, nobody could write it anew."""
    settings.PRIVACY_POLICY = "refuse"
    head = len(frames(conversation))
    for path, body, field in (
        (f"conversations/{conversation}/messages/", {"text": BOTH, "cmid": "1"}, "text"),
        ("conversations/", {"title": CARD}, "title"),
        ("conversations/", {"metadata": {"a": [CARD]}}, "metadata"),
        ("conversations/", {"message": BOTH}, "text"),
    ):
        refused = as_alice.post(path, body)
        assert (refused.status, refused.code, list(refused.json["errors"])) == (400, "invalid", [field])
        assert "take it out" in refused.json["detail"]
        assert CARD not in json.dumps(refused.json)
    assert as_alice.patch(f"conversations/{conversation}/", {"title": CARD}).code == "invalid"
    assert len(frames(conversation)) == head
    assert as_alice.post(f"conversations/{conversation}/messages/", {"text": CLEAN, "cmid": "1"}).status == 201


@pytest.mark.usefixtures("leaky")
async def test_refuse_does_not_keep_assistants_from_answering(settings: Settings, alice: User) -> None:
    settings.PRIVACY_POLICY = "refuse"
    conversation = await in_thread(conversation_with, alice, "leaky")
    await in_thread(ask, alice, conversation)
    await runner.take_turn(conversation)
    end = (await in_thread(frames, conversation))[-1]["data"]
    assert (end["status"], end["text"]) == ("completed", REDACTED)


def test_refusals_are_shown_on_the_page(settings: Settings, alice: User, conversation: UUID) -> None:
    settings.PRIVACY_POLICY = "refuse"
    visitor = Visitor(alice)
    answer = visitor.post(f"/c/{conversation}/", message=BOTH, once="1")
    assert answer.status_code == 400
    assert "take it out" in visitor.page
    assert BOTH in visitor.page, "what was written is not lost"
    assert "it seems to hold a card" in visitor.page, "what the script says, where the socket refuses"


@pytest.mark.usefixtures("leaky")
async def test_store(settings: Settings, alice: User, as_alice: Api) -> None:
    """Everything stays as it is, and is marked for staff."""
    settings.PRIVACY_POLICY = "store"
    conversation = await in_thread(conversation_with, alice, "leaky")
    await in_thread(ask, alice, conversation, BOTH)
    await runner.take_turn(conversation)
    question, answer = (await in_thread(as_alice.get, f"conversations/{conversation}/messages/")).json["results"]
    assert (question["text"], question["redacted"], question["sensitive"]) == (BOTH, False, True)
    assert CARD in answer["text"]
    assert (answer["redacted"], answer["sensitive"]) == (False, True)
    assert (await in_thread(as_alice.get, f"conversations/{conversation}/")).json["sensitive"] >= 2
    await in_thread(replayed, conversation)
