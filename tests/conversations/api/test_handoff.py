"""Routes by which people answer instead of assistants."""

from typing import Any

import pytest

from accounts.models import AuditEntry, User
from accounts.services import tokens
from conversations.services import handoff
from tests.api import Api
from tests.conversations.admin.conftest import new_staff
from tests.conversations.assistants.support import conversation_with


def api_of(user: User) -> Api:
    return Api(tokens.issue(user)["access"])


def waiting(user: User, reason: str = "") -> str:
    conversation = conversation_with(user)
    handoff.hand_off(user=user, conversation=conversation, reason=reason).result(30)
    return str(conversation)


def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    """All pages of the desk."""
    path, found = f"conversations/?of=desk&limit=50{query}", []
    while path:
        answer = api.get(path)
        assert answer.status == 200
        found += answer.json["results"]
        path = (answer.json["next"] or "").partition("/api/v1/")[2]
    return found


def test_a_desk_of_ones_own(alice: User, bob: User) -> None:
    """What waits for anybody, the longest waiting first; then claimed by who read it there."""
    agent = new_staff("Dora", "answer_as_agent")
    as_agent = api_of(agent)
    first, second = waiting(alice, "A refund"), waiting(bob)
    answered_by_assistant = str(conversation_with(alice))
    found = {one["id"]: one for one in listed(as_agent)}
    assert [id_ for id_ in found if id_ in (first, second)] == [first, second]
    assert answered_by_assistant not in found
    assert (found[first]["status"], found[first]["role"], found[first]["unread"]) == ("waiting", None, 0)
    assert (found[first]["handoff"]["reason"], found[second]["handoff"]["reason"]) == ("A refund", None)
    assert as_agent.get(f"conversations/{first}/").code == "not_found", "to read it takes a claim"
    assert as_agent.post(f"conversations/{first}/claim/").status == 200
    taken = {one["id"]: one for one in listed(as_agent, "&status=with_agent")}
    assert (taken[first]["agent"], taken[first]["role"]) == (str(agent.id), "agent")
    waits = [one["id"] for one in listed(as_agent, "&status=waiting&assistant=guide")]
    assert (second in waits, first in waits) == (True, False)
    entries = AuditEntry.objects.filter(actor=agent.id, action="conversation.titles_read")
    assert any(first in one.detail["conversations"] for one in entries)


@pytest.mark.parametrize("query", ["of=all", "of=desk&status=open", "of=desk&q=refund", "of=desk&updated_since=x"])
def test_what_the_desk_does_not_know(query: str) -> None:
    assert api_of(new_staff("Dora", "answer_as_agent")).get(f"conversations/?{query}").code == "invalid"


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
    released = as_agent.post(f"{path}release/", Idempotency_Key="r")
    assert (released.status, released.json["status"], released.json["agent"]) == (200, "open", None)
    assert (released.json["role"], as_agent.get(path).code) == (None, "not_found")
    assert as_agent.post(f"{path}release/", Idempotency_Key="r").json == released.json, "a retry gets the same answer"
    assert as_agent.post(f"{path}release/").code == "not_found"
    assert as_agent.post(f"{path}handoff/", {"reason": "x"}).code == "not_found"
    events = as_alice.get(f"{path}events/").json["results"]
    handoffs = [event["data"] for event in events if event["type"] == "conversation:handoff"]
    assert handoffs == [
        {"to": "human", "reason": "A refund"}, {"to": str(agent.id), "name": "Dora", "before": None},
        {"to": "assistant"},
    ]  # fmt: skip
