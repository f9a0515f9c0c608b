"""Routes by which people answer instead of assistants."""

from accounts.models import User
from accounts.services import tokens
from tests.api import Api
from tests.conversations.admin.conftest import new_staff
from tests.conversations.assistants.support import conversation_with


def api_of(user: User) -> Api:
    return Api(tokens.issue(user)["access"])


def test_a_hand_off_over_http(alice: User, mallory: User) -> None:
    agent, other = (new_staff(name, "answer_as_agent") for name in ("Dora", "Emil"))
    path = f"conversations/{conversation_with(alice)}/"
    as_alice, as_agent, as_other, stranger = map(api_of, (alice, agent, other, mallory))
    assert as_agent.post(f"{path}claim/").code == "not_found", "it does not wait"

    asked = as_alice.post(f"{path}handoff/", {"reason": "A refund"}, Idempotency_Key="k")
    assert (asked.status, asked.json["status"], asked.json["agent"]) == (200, "waiting", None)
    version = asked.json["version"]
    assert as_alice.post(f"{path}handoff/", {"reason": "A refund"}, Idempotency_Key="k").json["version"] == version
    assert as_alice.post(f"{path}handoff/", {"reason": "No"}, Idempotency_Key="k").code == "idempotency_mismatch"
    assert as_alice.post(f"{path}handoff/", {"reason": "x" * 501}).code == "invalid"
    assert as_alice.post(f"{path}handoff/", {"reason": [1]}).code == "invalid"
    assert stranger.post(f"{path}claim/").code == "not_found"

    claimed = as_agent.post(f"{path}claim/")
    assert (claimed.status, claimed.json["status"], claimed.json["agent"]) == (200, "with_agent", str(agent.id))
    assert claimed.json["role"] == "agent"
    assert claimed.headers["ETag"] == f'"{claimed.json["version"]}"'
    late = as_other.post(f"{path}claim/")
    assert (late.status, late.code, late.json["agent"]) == (409, "conflict", {"id": str(agent.id), "name": "Dora"})

    sent = as_agent.post(f"{path}messages/", {"text": "Hello", "cmid": "h"})
    assert (sent.json["event"]["actor"]["kind"], sent.json["message"]["role"]) == ("agent", "agent")
    assert "run" not in as_alice.post(f"{path}messages/", {"text": "Hello", "cmid": "a"}).json
    assert as_alice.post(f"{path}messages/", {"text": "x", "assistant": "guide"}).code == "conflict"

    assert as_other.post(f"{path}release/").code == "not_found"
    released = as_agent.post(f"{path}release/")
    assert (released.status, released.json["status"], released.json["agent"]) == (200, "open", None)
    events = as_alice.get(f"{path}events/").json["results"]
    handoffs = [event["data"] for event in events if event["type"] == "conversation:handoff"]
    assert handoffs == [
        {"to": "human", "reason": "A refund"}, {"to": str(agent.id), "name": "Dora"}, {"to": "assistant"},
    ]  # fmt: skip
