"""Verbs on conversations: create, change, archive."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import AuditEntry, IdempotencyKey, User
from chatproject.lib.errors import Problem
from conversations.models import Conversation, Member, Run
from conversations.services import conversations
from tests.conversations.support import at_once, check_numbers, frames, refusal, replayed, texts


def audited(conversation: UUID) -> list[str]:
    found = AuditEntry.objects.filter(target_id=str(conversation)).order_by("id")
    return list(found.values_list("action", flat=True))


def test_create_with_everything(alice: User, bob: User, mallory: User) -> None:
    made = conversations.create(
        user=alice,
        title="  Plans\x07 ",
        assistant="guide",
        metadata={"project": {"id": 7}},
        members=[{"user": bob.username, "role": "viewer"}, {"user": str(mallory.id)}, {"user": str(alice.id)}],
        message={"text": "What is a cursor?", "cmid": "first"},
    ).result(30)

    new, *added, first = frames(made.conversation.id)
    assert new["data"] == {"title": "Plans", "assistant": "guide", "metadata": {"project": {"id": 7}}}
    assert [(event["data"]["user"], event["data"]["role"]) for event in added] == [
        (str(bob.id), "viewer"),
        (str(mallory.id), "editor"),
    ]
    assert (first["data"]["text"], first["cmid"], made.main) == ("What is a cursor?", "first", first)
    assert Run.objects.get(id=first["data"]["run"]).status == "queued"
    assert audited(made.conversation.id) == ["conversation.created"]
    replayed(made.conversation.id)


def test_a_message_alone_is_enough(alice: User) -> None:
    made = conversations.create(user=alice, message="Hello").result(30)

    assert texts(made.conversation.id) == ["Hello"]
    assert not Run.objects.filter(conversation=made.conversation).exists()
    replayed(made.conversation.id)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"title": "x" * 201}, "invalid"),
        ({"title": 7}, "invalid"),
        ({"title": "\ud800"}, "invalid"),
        ({"assistant": "nobody"}, "invalid"),
        ({"assistant": 7}, "invalid"),
        ({"metadata": [1]}, "invalid"),
        ({"metadata": {"a": "\0"}}, "invalid"),
        ({"metadata": {"\0": 1}}, "invalid"),
        ({"metadata": {"a": {"b": ["\ud800"]}}}, "invalid"),
        ({"metadata": {"a": 2**63}}, "invalid"),
        ({"metadata": {"a": 1e300}}, "invalid"),
        ({"metadata": {"a": "x" * 20000}}, "too_large"),
        ({"metadata": {str(n): n for n in range(101)}}, "invalid"),
        ({"members": "bob"}, "invalid"),
        ({"members": [7]}, "invalid"),
        ({"members": [{"user": "who-is-this"}]}, "not_found"),
        ({"members": [{"user": str(uuid4())}]}, "not_found"),
        ({"message": ""}, "invalid"),
        ({"message": " \n"}, "invalid"),
        ({"message": "a\0b"}, "invalid"),
        ({"message": "\udfff"}, "invalid"),
        ({"message": 7}, "invalid"),
        ({"message": ["Hi"]}, "invalid"),
        ({"message": {}}, "invalid"),
        ({"message": {"text": "Hi", "else": 1}}, "invalid"),
        ({"message": {"text": "Hi", "action": "dance"}}, "invalid"),
        ({"message": {"text": "Hi", "cmid": "x" * 200}}, "invalid"),
        ({"message": "x" * 32001}, "too_large"),
    ],
)
def test_create_refuses(alice: User, given: dict[str, Any], code: str) -> None:
    with pytest.raises(Problem, match=f"^{code}:"):
        conversations.create(user=alice, **given).result(30)
    assert not Conversation.objects.filter(owner=alice).exists()


def create_with_key(user: User, key: str, **given: Any) -> UUID:
    try:
        return conversations.create(user=user, idempotency_key=key, **given).result(30).conversation.id
    except conversations.AlreadyCreated as before:
        return before.conversation


def test_one_key_fifty_times_is_one_conversation(alice: User) -> None:
    made = set(at_once(50, lambda _: create_with_key(alice, "key", title="Plans", message="Hello")))

    assert len(made) == 1
    assert Conversation.objects.filter(owner=alice).count() == 1
    assert IdempotencyKey.objects.filter(user=alice).count() == 1
    assert check_numbers(made.pop()) == 2


def test_a_key_with_another_body_is_a_mismatch(alice: User, bob: User) -> None:
    first = create_with_key(alice, "key", title="Plans")
    with pytest.raises(Problem, match="idempotency_mismatch"):
        create_with_key(alice, "key", title="Other plans")

    assert create_with_key(alice, "key", title="Plans") == first
    assert create_with_key(bob, "key", title="Plans") != first
    assert create_with_key(alice, "other key", title="Plans") != first


def test_a_key_is_forgotten_after_its_time(alice: User) -> None:
    first = create_with_key(alice, "key", title="Plans")
    row = IdempotencyKey.objects.get(user=alice)
    IdempotencyKey.objects.filter(id=row.id).update(created_at=row.created_at.replace(year=2020))

    assert create_with_key(alice, "key", title="Other plans") != first
    assert IdempotencyKey.objects.filter(user=alice).count() == 1


def test_update_changes_what_is_named(alice: User, bob: User, conversation: UUID) -> None:
    changes = {
        "title": "New",
        "tags": ["a", "b", "a"],
        "metadata": {"n": 1.5},
        "assistant": "guide",
        "status": "closed",
    }

    changed = conversations.update(user=bob, conversation=conversation, changes=changes, version=1).result(30)

    assert changed.main["data"] == {**changes, "tags": ["a", "b"]}
    row = Conversation.objects.get(id=conversation)
    assert (row.status, row.tags, row.metadata, row.assistant, row.version) == (
        "closed",
        ["a", "b"],
        {"n": 1.5},
        "guide",
        2,
    )
    replayed(conversation)
    conversations.update(user=bob, conversation=conversation, changes={"title": None, "status": "open"}).result(30)
    replayed(conversation)
    assert Conversation.objects.get(id=conversation).title is None


def test_of_two_changes_of_one_version_one_wins(alice: User, bob: User, conversation: UUID) -> None:
    outcomes = [
        conversations.update(user=user, conversation=conversation, changes={"title": user.name}, version=1)
        for user in (alice, bob)
    ]

    assert outcomes[0].result(30).main["data"]["title"] == "Alice"
    assert refusal(outcomes[1]) == "stale"
    error = outcomes[1].exception()
    assert isinstance(error, Problem)
    assert error.extra == {"version": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epoch": "x"},
        {"status": "waiting"},
        {"status": None},
        {"tags": "a"},
        {"tags": [""]},
        {"tags": ["\n"]},
        {"tags": ["x"] * 51},
        {"title": "x" * 201},
        {"metadata": None},
    ],
)
def test_update_refuses(alice: User, conversation: UUID, changes: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="invalid"):
        conversations.update(user=alice, conversation=conversation, changes=changes)
    assert check_numbers(conversation) == 2


def test_what_is_so_already_is_not_written(alice: User, conversation: UUID) -> None:
    for _ in range(2):
        conversations.archive(user=alice, conversation=conversation).result(30)
    conversations.update(user=alice, conversation=conversation, changes={"status": "archived"}).result(30)
    assert check_numbers(conversation) == 3
    assert audited(conversation).count("conversation.archived") == 1

    for _ in range(2):
        changes = {"status": "open", "tags": ["x"], "metadata": {"n": 1}}
        done = conversations.update(user=alice, conversation=conversation, changes=changes).result(30)
    assert (done.dup, check_numbers(conversation)) == (True, 4)
    replayed(conversation)


def test_archive_and_back(alice: User, conversation: UUID) -> None:
    conversations.archive(user=alice, conversation=conversation).result(30)
    assert Conversation.objects.get(id=conversation).status == "archived"
    replayed(conversation)

    conversations.update(user=alice, conversation=conversation, changes={"status": "open"}).result(30)

    assert Conversation.objects.get(id=conversation).status == "open"
    assert "conversation.archived" in audited(conversation)
    replayed(conversation)


ROLES = {
    "owner": ("done", "done", "done"),
    "editor": ("done", "forbidden", "forbidden"),
    "agent": ("forbidden", "forbidden", "forbidden"),
    "viewer": ("forbidden", "forbidden", "forbidden"),
    None: ("not_found", "not_found", "not_found"),
}


@pytest.mark.parametrize(("role", "outcomes"), ROLES.items())
def test_roles(alice: User, bob: User, conversation: UUID, role: str | None, outcomes: tuple[str, ...]) -> None:
    user = alice if role == "owner" else bob
    if role is None:
        Member.objects.filter(conversation=conversation, user=bob).delete()
    elif role != "owner":
        Member.objects.filter(conversation=conversation, user=bob).update(role=role)
    verbs = [
        conversations.update(user=user, conversation=conversation, changes={"title": "Mine"}),
        conversations.update(user=user, conversation=conversation, changes={"status": "archived"}),
        conversations.archive(user=user, conversation=conversation),
    ]

    assert tuple(refusal(verb) if verb.exception(30) else "done" for verb in verbs) == outcomes


def test_what_does_not_exist_is_not_found(alice: User) -> None:
    assert refusal(conversations.update(user=alice, conversation=uuid4(), changes={"title": "x"})) == "not_found"
    assert refusal(conversations.archive(user=alice, conversation=uuid4())) == "not_found"
