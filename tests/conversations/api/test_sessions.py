"""Sessions without a socket, for back ends."""

from uuid import UUID

from accounts.models import User
from conversations.models import Conversation
from tests.api import Api

SESSIONS = "sessions/"


def test_a_back_end_asks_and_gets_an_answer(as_alice: Api) -> None:
    session = as_alice.post(SESSIONS, {"assistant": "guide", "data": {"cart": 7}}).json
    assert (session["kind"], session["data"], session["ended_at"]) == ("http", {"cart": 7}, None)
    said = as_alice.post(f"{SESSIONS}{session['id']}/messages/", {"text": "How do I start?"})
    assert (said.status, said.json["message"]["conversation"]) == (201, session["conversation"])
    assert said.json["run"]["assistant"] == "guide"


def test_its_conversation_is_temporary_unless_kept(as_alice: Api) -> None:
    passing = as_alice.post(SESSIONS, {}).json["conversation"]
    kept = as_alice.post(SESSIONS, {"keep": True}).json["conversation"]
    assert Conversation.objects.get(id=passing).expires_at
    assert Conversation.objects.get(id=kept).expires_at is None


def test_an_existing_conversation(as_alice: Api, as_bob: Api, as_mallory: Api, conversation: UUID) -> None:
    ids = {api.post(SESSIONS, {"conversation": str(conversation)}).json["conversation"] for api in (as_alice, as_bob)}
    assert ids == {str(conversation)}
    assert as_mallory.post(SESSIONS, {"conversation": str(conversation)}).code == "not_found"


def test_data_is_shared_by_id(as_alice: Api) -> None:
    place = f"{SESSIONS}{as_alice.post(SESSIONS, {}).json['id']}/"
    assert as_alice.patch(place, {"data": {"step": 2}}).json["data"] == {"step": 2}
    assert as_alice.get(place).json["data"] == {"step": 2}
    assert as_alice.patch(place, {"data": {"x": "y" * 20_000}}).code == "too_large"
    assert as_alice.patch(place, {"data": "text"}).code == "invalid"
    assert as_alice.get(place).json["data"] == {"step": 2}


def test_an_ended_one_takes_nothing_more(as_alice: Api) -> None:
    place = f"{SESSIONS}{as_alice.post(SESSIONS, {}).json['id']}/"
    assert as_alice.delete(place).status == 204
    ended = as_alice.get(place).json
    assert ended["ended_at"]
    assert ended["reason"] == "left"
    assert as_alice.post(f"{place}messages/", {"text": "Still there?"}).code == "conflict"
    assert as_alice.patch(place, {"data": {}}).code == "conflict"


def test_the_list_is_ones_own(as_alice: Api, as_bob: Api) -> None:
    ids = [as_alice.post(SESSIONS, {}).json["id"] for _ in range(3)]
    as_bob.post(SESSIONS, {})
    page = as_alice.get(f"{SESSIONS}?limit=2").json
    assert [row["id"] for row in page["results"]] == ids[:0:-1]
    assert page["next"]


def test_a_user_without_any(alice: User, as_alice: Api) -> None:
    assert as_alice.get(SESSIONS).json["results"] == []
