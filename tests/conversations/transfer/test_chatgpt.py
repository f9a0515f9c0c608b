"""ChatGPT's trees become logs: the path in use is what is shown, other answers are alternatives."""

import json
from copy import deepcopy
from typing import Any
from uuid import UUID

from accounts.models import User
from conversations import selectors
from conversations.models import Message, Run
from tests.conversations.support import frames, replayed
from tests.conversations.transfer.importing import all_imported, exported, imported, refusal

Json = dict[str, Any]


def node(id_: str, parent: str | None, role: str | None, text: Any = "", at: float | None = 1.7e9, **more: Any) -> Json:
    model = {"model_slug": "gpt-4o"} if role == "assistant" else {}
    content = text if isinstance(text, dict) else {"content_type": "text", "parts": [text]}
    message = {
        "id": id_, "author": {"role": role, "name": more.pop("name", None), "metadata": {}}, "create_time": at,
        "update_time": None, "content": content, "status": "finished_successfully", "end_turn": True, "weight": 1.0,
        "metadata": model, "recipient": "all", "channel": None, **more,
    }  # fmt: skip
    return {"id": id_, "message": message if role else None, "parent": parent, "children": []}


def tree(*nodes: Json, current: Any = None, **more: Any) -> Json:
    """Children in the order in which their nodes are given."""
    mapping = {one["id"]: deepcopy(one) for one in nodes}
    for one in nodes:
        if one["parent"] in mapping:
            mapping[one["parent"]]["children"].append(one["id"])
    return {
        "title": "Tea", "create_time": 1.7e9, "update_time": 1.7e9, "mapping": mapping, "moderation_results": [],
        "current_node": current or nodes[-1]["id"], "conversation_id": "c", "default_model_slug": "auto", **more,
    }  # fmt: skip


ROOT = (
    node("root", None, None),
    node("system", "root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
)


def file(*conversations: Json) -> bytes:
    return json.dumps(conversations).encode()


def said(id_: UUID) -> list[tuple[str, str]]:
    rows = Message.objects.visible().filter(conversation=id_).order_by("seq")
    return [(row.author_name, text) for row in rows for text in [selectors.message_text(row)]]


def test_a_plain_conversation(alice: User) -> None:
    id_ = imported(
        alice,
        file(
            tree(
                *ROOT,
                node("q1", "system", "user", "How long?", at=1700000001.123456),
                node("a1", "q1", "assistant", "Three minutes.", at=1700000003),
                node("q2", "a1", "user", "Thanks", at=1700000002),
            )
        ),
    )

    assert said(id_) == [("Alice", "How long?"), ("gpt-4o", "Three minutes."), ("Alice", "Thanks")]
    first, *_ = frames(id_)
    assert (first["data"]["title"], first["actor"]["id"]) == ("Tea", str(alice.id))
    assert [frame["at"][17:23] for frame in frames(id_)] == ["20.000", "21.123", "23.000", "23.000", "23.000"]
    assert Run.objects.get(conversation=id_).status == "completed"
    replayed(id_)
    assert said(imported(alice, exported(id_))) == said(id_)


def test_answers_that_were_made_again_are_alternatives(alice: User) -> None:
    nodes = (
        *ROOT,
        node("q", "system", "user", "How long?"),
        node("a1", "q", "assistant", "One."),
        node("a2", "q", "assistant", "Two."),
        node("a3", "q", "assistant", "Three."),
    )
    id_ = imported(alice, file(tree(*nodes, current="a2")))

    assert said(id_) == [("Alice", "How long?"), ("gpt-4o", "Two.")]
    answers = Message.objects.filter(conversation=id_, role="assistant").order_by("seq")
    assert [selectors.message_text(row) for row in answers] == ["One.", "Three.", "Two."]
    assert {row.group for row in answers} == {answers[0].id}
    replayed(id_)


def test_what_followed_from_other_forms_of_a_question_is_taken_back(alice: User) -> None:
    """It is in the log, and a restore to a place before would show it."""
    nodes = (
        *ROOT,
        node("q1", "system", "user", "Tea?"),
        node("a1", "q1", "assistant", "Green."),
        node("b1", "a1", "user", "How long?"),
        node("c1", "b1", "assistant", "Two minutes."),
        node("b2", "a1", "user", "How hot?"),
        node("c2", "b2", "assistant", "80 °C."),
        node("q2", "system", "user", "Coffee?"),
        node("d2", "q2", "assistant", "Black."),
    )
    for current, shown in (
        ("c1", ["Tea?", "Green.", "How long?", "Two minutes."]),
        ("c2", ["Tea?", "Green.", "How hot?", "80 °C."]),
        ("d2", ["Coffee?", "Black."]),
    ):
        id_ = imported(alice, file(tree(*nodes, current=current)))
        assert [text for _, text in said(id_)] == shown
        everything = [e["data"].get("text") for e in frames(id_) if e["type"] in ("message:new", "run:end")]
        assert len(everything) == 8
        replayed(id_)
        assert said(imported(alice, exported(id_))) == said(id_)


def test_what_followed_from_other_answers_is_taken_back(alice: User) -> None:
    nodes = (
        *ROOT,
        node("q", "system", "user", "Tea?"),
        node("a1", "q", "assistant", "Green."),
        node("b1", "a1", "user", "Why?"),
        node("c1", "b1", "assistant", "It is mild."),
        node("a2", "q", "assistant", "Black."),
        node("b2", "a2", "user", "Sure?"),
    )
    for current, shown in (("b2", ["Tea?", "Black.", "Sure?"]), ("c1", ["Tea?", "Green.", "Why?", "It is mild."])):
        id_ = imported(alice, file(tree(*nodes, current=current)))
        assert [text for _, text in said(id_)] == shown
        question, *_ = messages = Message.objects.filter(conversation=id_).order_by("seq")
        answers = [row for row in messages if row.reply_to == question.id]
        assert [row.group for row in answers] == [answers[0].id] * 2
        replayed(id_)


def test_tools_and_thoughts_are_steps(alice: User) -> None:
    nodes = (
        *ROOT,
        node("q", "system", "user", "Weather?"),
        node("t", "q", "assistant", {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "Hmm"}]}),
        node("c", "t", "assistant", {"content_type": "code", "language": "json", "text": '{"q": 1}'}, recipient="web"),
        node("r", "c", "tool", "Rain", name="web"),
        node("e", "r", "assistant", {"content_type": "reasoning_recap", "content": "Thought for 2 s"}),
        node("a", "e", "assistant", "It rains."),
        node("p", "a", "user",
             {"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "This?"]},
             metadata={"attachments": [{"name": "x.png"}]}),
    )  # fmt: skip
    id_ = imported(alice, file(tree(*nodes)))

    steps = [frame["data"] for frame in frames(id_) if frame["type"] == "run:step"]
    assert [(one["kind"], one["name"], one.get("input"), one.get("output")) for one in steps] == [
        ("thought", "thought", None, "Hmm"),
        ("tool", "web", '{"q": 1}', None),
        ("tool", "web", None, "Rain"),
    ]
    assert said(id_) == [
        ("Alice", "Weather?"), ("gpt-4o", "It rains."), ("Alice", "[image_asset_pointer]\n\nThis?\n\n[x.png]"),
    ]  # fmt: skip
    replayed(id_)


def test_many_and_empty_ones(alice: User) -> None:
    greeting = tree(*ROOT, node("a", "system", "assistant", "Hello!"))
    ids = all_imported(alice, file(tree(*ROOT), greeting, tree(*ROOT, title=None, current="nobody")))

    assert [said(id_) for id_ in ids] == [[], [("gpt-4o", "Hello!")], []]
    assert said(imported(alice, json.dumps(greeting).encode())) == [("gpt-4o", "Hello!")]


def test_answers_that_did_not_end_well(alice: User) -> None:
    for more, status in (
        ({"status": "in_progress"}, "interrupted"),
        ({"metadata": {"finish_details": {"type": "interrupted"}}}, "stopped"),
    ):
        id_ = imported(
            alice, file(tree(*ROOT, node("q", "system", "user", "?"), node("a", "q", "assistant", "W", **more)))
        )
        assert Run.objects.get(conversation=id_).status == status


def test_deep_and_odd_trees(alice: User) -> None:
    deep = [*ROOT, node("q0", "system", "user", "0")]
    for n in range(1, 1500):
        deep.append(node(f"q{n}", f"q{n - 1}", "assistant" if n % 2 else "user", str(n), at=None if n % 3 else 1e300))
    id_ = imported(alice, file(tree(*deep)))
    assert len(said(id_)) == 1500


def test_trees_that_are_none(alice: User) -> None:
    cycle = tree(*ROOT, node("a", "b", "user", "x"), node("b", "a", "user", "y"))
    twice = tree(*ROOT, node("q", "system", "user", "x"))
    twice["mapping"]["root"]["children"].append("q")
    loop = tree(*ROOT, node("q", "system", "user", "x"))
    loop["mapping"]["q"]["children"].append("root")
    for bad in (cycle, twice, loop, tree(*ROOT) | {"mapping": []}, tree(*ROOT) | {"mapping": {"a": 1}}):
        code, detail = refusal(alice, file(tree(*ROOT), bad))
        assert (code, detail[:16]) == ("invalid", "Conversation 2: ")
    odd = tree(*ROOT, node("q", "system", "user", {"content_type": "text", "parts": 5}))
    assert refusal(alice, file(odd))[0] == "invalid"
