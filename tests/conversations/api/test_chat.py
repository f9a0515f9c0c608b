"""`POST /v1/chat {message}` -> `{response}`."""

from threading import Thread
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from accounts.models import User
from accounts.services import apikeys
from conversations import waiting
from conversations.assistants import runner
from conversations.models import Conversation, Run
from conversations.services import conversations, handoff
from tests.api import Answer, Api
from tests.conversations.assistants.conftest import provider
from tests.conversations.assistants.support import conversation_with
from tests.conversations.support import texts
from tests.provider import Provider

__all__ = ["provider"]


@pytest.fixture(autouse=True)
def _answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes the turn while the request waits for it."""

    def wait(run: Any, seconds: float, login: Any = None) -> Run | None:
        place = Run.objects.get(id=run).conversation_id
        worker = Thread(target=async_to_sync(runner.take_turn), args=[place])
        worker.start()
        worker.join()
        return real(run, min(seconds, 0.2), login)

    real = waiting.wait_for
    monkeypatch.setattr(waiting, "wait_for", wait)


def chat(api: Api, message: Any, **more: Any) -> Answer:
    headers = {"Idempotency_Key": more.pop("key")} if "key" in more else {}
    return api.post("/v1/chat", {"message": message, **more}, **headers)


def test_a_message_and_its_response(as_alice: Api, alice: User, provider: Provider) -> None:
    answer = chat(as_alice, "say hello there", assistant="openai")
    assert (answer.status, answer.json["response"], answer.json["status"]) == (200, "hello there ", "completed")
    made = Conversation.objects.get(id=answer.json["conversation"])
    assert made.owner == alice
    assert made.expires_at, "it is temporary"


def test_going_on_with_a_conversation(as_alice: Api, provider: Provider) -> None:
    first = chat(as_alice, "say one", assistant="openai", keep=True).json
    second = chat(as_alice, "say two", conversation=first["conversation"]).json
    assert (second["conversation"], second["response"]) == (first["conversation"], "two ")
    assert [one["content"] for one in provider.last.body["messages"]][1:] == ["say one", "one ", "say two"]
    assert Conversation.objects.get(id=first["conversation"]).expires_at is None


def test_by_an_api_key(alice: User, provider: Provider) -> None:
    _, secret = apikeys.create(user=alice, name="Plugin", scopes=["read", "write"])
    assert chat(Api(secret), "say hello", assistant="openai").json["response"] == "hello "
    _, reading = apikeys.create(user=alice, name="Reader", scopes=["read"])
    assert chat(Api(reading), "say hello").code == "forbidden"


def test_the_assistant_of_the_house_answers_unless_another_is_asked(as_alice: Api) -> None:
    answer = chat(as_alice, "How do I back up?")
    assert Run.objects.get(id=answer.json["run"]).assistant == "guide"


@pytest.mark.parametrize("script", ["status 500", "cut 3"])
def test_an_answer_that_failed(as_alice: Api, provider: Provider, script: str) -> None:
    answer = chat(as_alice, script, assistant="openai")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert "model" in answer.json["detail"]
    assert Run.objects.get(id=answer.json["run"]).status == "failed"
    assert "secret" not in str(answer.json)


def test_an_answer_that_takes_longer(as_alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "wait_for", lambda *_: None)
    answer = chat(as_alice, "Hello?")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert Run.objects.get(id=answer.json["run"]).status == "queued"


def test_once_more_with_the_same_key(as_alice: Api, alice: User, provider: Provider) -> None:
    for place in ({"assistant": "openai"}, {"conversation": str(conversation_with(alice, "openai"))}):
        key = str(place)[:60]
        first, again = (chat(as_alice, "say once", key=key, **place) for _ in range(2))
        assert first.json == again.json
        assert chat(as_alice, "say other", key=key, **place).code == "idempotency_mismatch"
    assert len(provider.asked("say once")) == 2


def test_where_people_answer(as_alice: Api, alice: User, provider: Provider) -> None:
    """Nothing is said, for nobody would wait for what they say; what was answered before is told again."""
    place = conversation_with(alice, "openai")
    before = chat(as_alice, "say once", key="before", conversation=str(place)).json
    handoff.hand_off(user=alice, conversation=place).result(10)
    refused = chat(as_alice, "Hello?", conversation=str(place))
    assert (refused.status, refused.code) == (409, "conflict")
    assert "Hello?" not in texts(place)
    assert chat(as_alice, "say once", key="before", conversation=str(place)).json == before


def test_what_is_refused(as_alice: Api, as_bob: Api, alice: User, settings: Settings) -> None:
    quiet = conversations.create(user=alice).result(10).conversation.id
    assert chat(as_alice, "Hello?", conversation=str(quiet)).json["errors"].keys() == {"assistant"}
    assert chat(as_bob, "Hello?", conversation=str(quiet)).code == "not_found"
    for body in (
        {},
        {"message": ""},
        {"message": 5},
        {"message": "x", "assistant": "nobody"},
        {"message": "x", "keep": 1},
    ):
        assert as_alice.post("/v1/chat", body).code == "invalid", body
    assert as_alice.post("/v1/chat", [1]).code == "invalid"
    assert as_alice.get("/v1/chat").status == 405
    assert Api(None).post("/v1/chat", {"message": "x"}).code == "unauthenticated"
    assert as_alice.post("/v1/other", {"message": "x"}).code == "not_found"
