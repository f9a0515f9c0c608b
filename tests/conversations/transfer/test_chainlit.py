"""Threads of Chainlit become conversations: what was said, by whom, and what was done for it."""

import json
from typing import Any
from uuid import UUID

from accounts.models import User
from conversations import selectors
from conversations.models import Conversation, Feedback, Run
from tests.conversations.support import frames, replayed
from tests.conversations.transfer.importing import all_imported, exported, imported, refusal

Json = dict[str, Any]


def step(type_: str, id_: str, at: int, output: Any, **more: Any) -> Json:
    return {
        "id": id_, "threadId": "t", "parentId": None, "type": type_, "name": "Assistant", "input": "", "output": output,
        "createdAt": f"2024-05-01T10:00:{at:02}.500Z", "start": None, "end": None, "streaming": False, "isError": False,
        "metadata": {}, "tags": None, "generation": None, "showInput": None, "language": None, **more,
    }  # fmt: skip


def thread(**more: Any) -> Json:
    return {
        "id": "t", "createdAt": "2024-05-01T09:59:59Z", "name": "Tea", "userId": "u", "userIdentifier": "ada",
        "tags": ["hot"], "metadata": {"x": 1}, "elements": [],
        "steps": [
            step("assistant_message", "a0", 0, "Welcome"),
            step("user_message", "q1", 1, "How long?", name="ada"),
            step("run", "r", 2, "", name="on_message"),
            step("tool", "s1", 3, "3 minutes", name="timer", input='{"tea": "green"}', parentId="r"),
            step("llm", "s2", 4, "", name="gpt-4o", parentId="r"),
            step("assistant_message", "a1", 5, "Three minutes.",
                 feedback={"forId": "a1", "id": "f", "value": 0, "comment": "too short"}),
            step("assistant_message", "a2", 6, "Or four."),
            step("user_message", "q2", 8, "Thanks", name="ada"),
        ],
        **more,
    }  # fmt: skip


def said(id_: UUID) -> list[tuple[str, str, str]]:
    found = selectors.messages(id_, before_seq=None, after_seq=None, limit=50)
    return [(one["role"], one["author"]["name"], one["text"]) for one in found]


def test_a_thread(alice: User) -> None:
    id_ = imported(alice, json.dumps(thread()).encode())

    assert said(id_) == [
        ("assistant", "Assistant", "Welcome"),
        ("user", "ada", "How long?"),
        ("assistant", "Assistant", "Three minutes."),
        ("assistant", "Assistant", "Or four."),
        ("user", "ada", "Thanks"),
    ]
    row = Conversation.objects.get(id=id_)
    assert (row.tags, row.metadata, row.down) == (["hot"], {"source": "chainlit", "id": "t"}, 1)
    run = Run.objects.get(conversation=id_)
    steps = [frame["data"] for frame in frames(id_) if frame["type"] == "run:step"]
    assert [(one["kind"], one["name"], one.get("input"), one.get("output")) for one in steps] == [
        ("tool", "timer", '{"tea": "green"}', "3 minutes"),
        ("thought", "gpt-4o", None, None),
    ]
    assert (run.status, run.assistant) == ("completed", "Assistant")
    assert Feedback.objects.get(conversation=id_).rating == "down"
    times = [frame["at"] for frame in frames(id_)]
    assert times == sorted(times)
    assert times[0] == "2024-05-01T09:59:59.000Z"
    replayed(id_)
    assert said(imported(alice, exported(id_))) == said(id_)


def test_ones_own_thread_stays_ones_own(alice: User) -> None:
    id_ = imported(alice, json.dumps(thread(userIdentifier=alice.username)).encode())

    assert frames(id_)[0]["actor"]["id"] == str(alice.id)


def test_many_threads(alice: User) -> None:
    assert len(all_imported(alice, json.dumps([thread(), thread(id="u", steps=[])]).encode())) == 2


def test_threads_with_odd_values(alice: User) -> None:
    odd = [
        step("user_message", "q", 1, None, createdAt=None, input="Old form"),
        step("assistant_message", "a", 2, "x" * 200_000, createdAt=1e300, feedback={"value": "1"}),
        step("tool", "s", 3, {"a": 1}, name=None, isError=True, start="never", createdAt=""),
        step("assistant_message", "b", 3, "\0\ud800", createdAt="9999-12-31T23:59:59+00:00"),
    ]
    id_ = imported(alice, json.dumps(thread(steps=odd, name=5, tags=[1, "\0", "y" * 99], createdAt="x")).encode())

    texts = [text for _, _, text in said(id_)]
    assert texts[0] == "Old form"
    assert len(texts[1]) == 100_000
    assert texts[1].endswith("x […]")
    replayed(id_)


def test_threads_that_are_none(alice: User) -> None:
    for bad in ({"steps": 5}, {"steps": [5]}, {"steps": [{"type": "user_message"}]}, {"steps": "abc"}):
        code, detail = refusal(alice, json.dumps(thread(**bad)).encode())
        assert (code, detail[:16]) == ("invalid", "Conversation 1: ")
