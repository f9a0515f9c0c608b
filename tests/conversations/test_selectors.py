"""Reads: each through what the actor may see."""

from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import selectors
from conversations.assistants import chunks
from conversations.models import Event, Run
from conversations.permissions import ROLES, Permission, require
from conversations.services import conversations, members, messages, reading, runs
from tests.conversations.support import frames


def say(user: User, conversation: UUID, text: str, assistant: str | None = None) -> dict[str, str]:
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(uuid4()), assistant=assistant)
    data: dict[str, str] = sent.result(30).main["data"]
    return data


def test_unread_counts_what_others_said(alice: User, bob: User, conversation: UUID) -> None:
    for text in "abc":
        say(alice, conversation, text)
    say(bob, conversation, "d")

    def unread(user: User) -> int:
        return int(selectors.wire_conversation(selectors.shown_conversation(user, conversation))["unread"])

    assert (unread(alice), unread(bob)) == (1, 3)
    reading.mark_read(user=bob, conversation=conversation, seq=4)
    assert unread(bob) == 1


def test_who_may_read(alice: User, bob: User, mallory: User, conversation: UUID) -> None:
    assert selectors.wire_conversation(selectors.shown_conversation(bob, conversation))["role"] == "editor"
    with pytest.raises(Problem, match="forbidden"):
        selectors.conversation_for(bob, conversation, Permission.ARCHIVE)
    for id_ in (conversation, uuid4()):
        with pytest.raises(Problem, match="not_found"):
            selectors.conversation_for(mallory, id_)
    members.remove(actor=alice, conversation=conversation, user=bob.id).result(30)
    with pytest.raises(Problem, match="not_found"):
        selectors.conversation_for(bob, conversation)
    assert not selectors.visible_conversations(bob.id).exists()


def test_the_table_of_roles() -> None:
    assert {role: sorted(permissions) for role, permissions in ROLES.items()} == {
        "owner": [
            "archive",
            "change",
            "erase",
            "manage_members",
            "moderate",
            "rate",
            "read",
            "restore",
            "send",
            "share",
            "stop",
        ],
        "editor": ["change", "leave", "rate", "read", "send", "stop"],
        "agent": ["claim", "leave", "rate", "read", "send", "stop"],
        "viewer": ["leave", "rate", "read"],
    }
    with pytest.raises(Problem, match="not_found"):
        require(None, Permission.READ)
    with pytest.raises(Problem, match="forbidden"):
        require("viewer", Permission.SEND)


def test_a_running_answer_shows_what_is_stored(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "One?", "guide")
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    for offset, piece in ((0, "Wört"), (4, "er 👋🏽")):
        chunks.store(chunks.Piece(claim, piece, offset)).result(30)

    shown = selectors.messages(conversation, before_seq=None, after_seq=None, limit=1)[0]

    assert (shown["text"], shown["status"]) == ("Wörter 👋🏽", "streaming")
    assert selectors.stored_lengths([conversation]) == {claim.run: (conversation, len("Wörter 👋🏽"))}
    assert selectors.snapshot(conversation)["snapshot"]["state"]["messages"][-1] == shown


def test_a_snapshot_holds_the_newest_that_fit(alice: User, conversation: UUID, settings: Settings) -> None:
    for n in range(6):
        say(alice, conversation, f"{n}" * 500)
    whole = selectors.snapshot(conversation)["snapshot"]
    assert (len(whole["state"]["messages"]), whole["state"]["truncated"], whole["seq"]) == (6, False, 8)

    settings.SNAPSHOT_MAX_BYTES = 4000
    part = selectors.snapshot(conversation)["snapshot"]["state"]

    assert part["truncated"]
    assert part["messages"] == whole["state"]["messages"][-len(part["messages"]) :]
    assert 0 < len(part["messages"]) < 6


def test_since_a_time_brings_that_very_millisecond_again(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "a")
    log = frames(conversation)
    moment = Event.objects.get(conversation=conversation, seq=3).at
    after = selectors.seq_before(conversation, moment)
    assert log[-1] in selectors.events(conversation, after, 10)


def test_heads(alice: User, conversation: UUID) -> None:
    other = conversations.create(user=alice).result(30).conversation.id
    assert {id_: head for id_, (_, head) in selectors.heads([conversation, other, uuid4()]).items()} == {
        conversation: 2, other: 1,
    }  # fmt: skip
    with pytest.raises(Problem, match="not_found"):
        selectors.head(uuid4())


def test_a_run_is_read_by_members(alice: User, mallory: User, conversation: UUID) -> None:
    run = UUID(say(alice, conversation, "One?", "guide")["run"])
    assert selectors.run_for(alice, run) == Run.objects.get(id=run)
    assert selectors.ended_run(run) is None
    with pytest.raises(Problem, match="not_found"):
        selectors.run_for(mallory, run)
