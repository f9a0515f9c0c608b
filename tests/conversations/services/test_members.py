"""Verbs on members: add, change, remove."""

from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, User
from chatproject.lib.errors import Problem
from conversations.models import Member
from conversations.services import members
from tests.conversations.support import at_once, check_numbers, refusal, replayed


def role_of(user: User, conversation: UUID) -> str | None:
    return Member.objects.filter(conversation=conversation, user=user).values_list("role", flat=True).first()


def test_a_membership_from_beginning_to_end(alice: User, mallory: User, conversation: UUID) -> None:
    members.add(actor=alice, conversation=conversation, user=mallory.username, role="viewer").result(30)
    assert role_of(mallory, conversation) == "viewer"
    replayed(conversation)

    members.change(actor=alice, conversation=conversation, user=mallory.id, role="agent").result(30)
    assert role_of(mallory, conversation) == "agent"
    replayed(conversation)

    removed = members.remove(actor=alice, conversation=conversation, user=mallory.id).result(30)
    assert role_of(mallory, conversation) is None
    assert removed.main["data"] == {"user": str(mallory.id), "role": "agent"}
    replayed(conversation)

    actions = AuditEntry.objects.filter(target_id=str(conversation), action__startswith="member.").order_by("id")
    assert [(entry.action, entry.detail["user"]) for entry in actions] == [
        (action, str(mallory.id)) for action in ("member.added", "member.changed", "member.removed")
    ]


def test_everybody_may_leave_but_the_owner(alice: User, bob: User, conversation: UUID) -> None:
    members.remove(actor=bob, conversation=conversation, user=bob.id).result(30)
    assert role_of(bob, conversation) is None
    assert refusal(members.remove(actor=alice, conversation=conversation, user=alice.id)) == "forbidden"
    replayed(conversation)


def test_the_owner_stays_the_owner(alice: User, conversation: UUID) -> None:
    assert refusal(members.change(actor=alice, conversation=conversation, user=alice.id, role="viewer")) == "forbidden"
    assert role_of(alice, conversation) == "owner"


@pytest.mark.parametrize("role", ["owner", "admin", "", None, 7])
def test_only_some_roles_can_be_given(alice: User, mallory: User, conversation: UUID, role: str) -> None:
    with pytest.raises(Problem, match="invalid"):
        members.add(actor=alice, conversation=conversation, user=mallory.id, role=role)


def test_who_cannot_be_added_or_changed(alice: User, bob: User, mallory: User, conversation: UUID) -> None:
    add, change, remove = members.add, members.change, members.remove
    assert refusal(add(actor=alice, conversation=conversation, user="nobody-of-this-name")) == "not_found"
    assert refusal(add(actor=alice, conversation=conversation, user=uuid4())) == "not_found"
    assert refusal(add(actor=alice, conversation=conversation, user=bob.id)) == "conflict"
    assert refusal(change(actor=alice, conversation=conversation, user=mallory.id, role="viewer")) == "not_found"
    assert refusal(remove(actor=alice, conversation=conversation, user=mallory.id)) == "not_found"
    assert check_numbers(conversation) == 2


@pytest.mark.parametrize(("role", "code"), [("editor", "forbidden"), ("agent", "forbidden"), (None, "not_found")])
def test_only_the_owner_manages(
    alice: User, bob: User, mallory: User, conversation: UUID, role: str | None, code: str
) -> None:
    if role:
        members.change(actor=alice, conversation=conversation, user=bob.id, role=role).result(30)
    actor = bob if role else mallory
    assert refusal(members.add(actor=actor, conversation=conversation, user=mallory.id)) == code
    assert refusal(members.change(actor=actor, conversation=conversation, user=alice.id, role="viewer")) == code
    assert refusal(members.remove(actor=actor, conversation=conversation, user=alice.id)) == code


def test_two_who_add_the_same_person_at_once(alice: User, mallory: User, conversation: UUID) -> None:
    outcomes = at_once(10, lambda _: members.add(actor=alice, conversation=conversation, user=mallory.id))

    assert sorted("added" if not o.exception(30) else refusal(o) for o in outcomes) == ["added"] + ["conflict"] * 9
    replayed(conversation)


def test_a_conversation_has_so_many_members(alice: User, mallory: User, conversation: UUID, settings: Settings) -> None:
    settings.MEMBERS_MAX = 2
    assert refusal(members.add(actor=alice, conversation=conversation, user=mallory.id)) == "too_large"
