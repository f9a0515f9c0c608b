"""What the product logs of requests and frames: who and what by id, and nothing that was said."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants import building, runner
from conversations.assistants.base import Assistant, Turn
from conversations.assistants.definitions import Definition
from realtime.commands import COMMANDS
from realtime.protocol import Leave
from tests.api import Api
from tests.conversations.assistants.support import ask, conversation_with
from tests.leaks import CANARY, PASSWORD
from tests.plugins.leaks import Listener
from tests.sockets import connect

Line = dict[str, object]


class Heard(logging.Handler):
    """Lines as they are written, parsed."""

    def __init__(self, formatter: logging.Formatter | None) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))

    def of(self, logger: str) -> list[Line]:
        return [line for line in self.lines if line["log.logger"] == logger]


@pytest.fixture
def heard(listener: Listener) -> Iterator[Heard]:
    handler = Heard(listener.formatter)
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_a_request(as_alice: Api, conversation: UUID, heard: Heard) -> None:
    path = f"conversations/{conversation}/messages/"
    as_alice.post(path, {"text": CANARY}, X_Request_ID="request-of-alice")
    as_alice.get(f"{path}?limit=1&q=secret")
    first, second = heard.of("chatproject.access")
    assert first["http.request.id"] == "request-of-alice"
    assert (first["http.request.method"], first["http.response.status_code"]) == ("POST", 201)
    assert first["client.ip"] == "127.0.0.1" or first["client.ip"] == "127.0.0.0"
    assert second["url.path"] == f"/api/v1/{path}"
    assert "secret" not in json.dumps(heard.lines)


def test_addresses_that_let_somebody_in_are_not_logged(heard: Heard) -> None:
    Client().get("/accounts/password/reset/key/1-abcdef-0123456789/")
    assert "abcdef" not in json.dumps(heard.lines)


def test_a_log_in_that_fails(alice: User, heard: Heard) -> None:
    Api(None).post("auth/token/", {"username": alice.username, "password": f"{PASSWORD}!"})
    Client().post("/accounts/login/", {"login": alice.username, "password": f"{PASSWORD}!"})
    assert heard.lines
    assert PASSWORD not in json.dumps(heard.lines)


@pytest.mark.usefixtures("realtime_layer")
async def test_a_frame_that_breaks_something(
    alice: User, conversation: UUID, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"it broke for {alice.username}@example.org")

    command = COMMANDS[Leave]
    monkeypatch.setitem(COMMANDS, Leave, replace(command, handler=broken))
    async with connect(alice) as socket:
        await socket.say(type="leave", ref="r", conversation=str(conversation))
        assert (await socket.answer("r"))["code"] == "internal"
        session = socket.welcome["session"]
    (line,) = heard.of("realtime.dispatch")
    assert (line["labels.session"], line["labels.conversation"]) == (session, str(conversation))
    assert line["error.type"] == "RuntimeError"
    assert "example.org" not in json.dumps(line)


class Broken:
    """Fails, with what was said in its hands."""

    async def answer(self, turn: Turn) -> None:
        held = (await turn.context()).lines
        raise RuntimeError(f"{len(held)} messages are too many")


async def test_a_run_that_fails(alice: User, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Definition) -> Assistant:
        return Broken()

    monkeypatch.setattr(building, "built", broken)
    place = await in_thread(conversation_with, alice)
    run = await in_thread(ask, alice, place, CANARY)
    await runner.take_turn(place)
    (line,) = heard.of("conversations.assistants.runner")
    assert (line["labels.conversation"], line["labels.run"]) == (str(place), str(run.id))
    assert "messages are too many" in str(line["error.stack_trace"])


def test_nothing_of_a_token_is_logged_when_it_is_wrong(alice: User, heard: Heard) -> None:
    access = tokens.issue(alice)["access"]
    assert Api(f"{access}x").get("me/").status == 401
    assert Api(None).get(f"me/?token={access}").status == 401
    assert Api(None).get(f"nothing/{new_id()}/").status == 404
    assert access[:40] not in json.dumps(heard.lines)
