"""Prepared queries give what the ORM gives, for arguments that were not known when they were put together."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chatproject.lib import clock
from chatproject.lib.ids import new_id
from chatproject.lib.prepared import Prepared
from conversations.models import Conversation, Member, Message
from conversations.services import messages


def values(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


@Prepared
def with_role(user: UUID, id_: UUID) -> QuerySet[Conversation, Any]:
    """The conversation of a member."""
    return Conversation.objects.filter(members__user=user, id=id_).annotate(role=F("members__role"))


@Prepared
def said_by(user: UUID, conversations: list[UUID], after: int, before: datetime) -> QuerySet[Message, Message]:
    mine = Message.objects.filter(Q(author_id=str(user)), conversation__in=conversations)
    return mine.filter(seq__gt=after, created_at__lt=before).order_by("seq")


@Prepared
def roles(conversation: UUID, role: str) -> QuerySet[Member, tuple[UUID, str]]:
    return Member.objects.filter(conversation=conversation, role=role).values_list("user", "role").order_by("since")[:2]


@Prepared
def members(conversation: UUID) -> QuerySet[Member, Member]:
    return Member.objects.filter(conversation=conversation).select_related("user").order_by("since", "id")


def test_instances_as_the_orm_makes_them(alice: User, bob: User, mallory: User, conversation: UUID) -> None:
    """With what is annotated, with JSON as values, and as rows that are stored."""
    Conversation.objects.filter(id=conversation).update(metadata={"customer": [1, None, "x"]})
    for user, role in ((alice, "owner"), (bob, "editor")):
        [row] = with_role(user=user.id, id_=conversation)
        plain = Conversation.objects.filter(members__user=user).annotate(role=F("members__role")).get(id=conversation)
        assert (row.role, row.metadata) == (role, {"customer": [1, None, "x"]})
        assert values(row) == values(plain)
        assert (row._state.adding, row._state.db) == (False, "default")
    assert with_role(user=mallory.id, id_=conversation) == []
    assert with_role.first(user=mallory.id, id_=conversation) is None
    assert with_role.__doc__ == "The conversation of a member."


def test_what_is_selected_beside_it(alice: User, bob: User, conversation: UUID) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = [(row.role, row.user.username) for row in members(conversation=conversation)]
    assert found == [("owner", alice.username), ("editor", bob.username)]
    assert not captured.captured_queries, "no query of its own for each user"


def test_arguments_of_every_kind(alice: User, bob: User, conversation: UUID) -> None:
    for number, user in enumerate((alice, bob, alice)):
        messages.send(user=user, conversation=conversation, text=f"number {number}", cmid=str(number)).result(30)
    first, last = Message.objects.filter(conversation=conversation, author_id=str(alice.id)).order_by("seq")
    later, here = clock.now() + timedelta(days=1), {"conversations": [new_id(), conversation]}

    assert said_by(user=alice.id, after=0, before=later, **here) == [first, last]
    assert said_by(user=alice.id, after=first.seq, before=later, **here) == [last]
    assert said_by(user=alice.id, after=0, before=last.created_at - timedelta(days=1), **here) == []
    assert said_by(user=alice.id, after=0, before=later, conversations=[]) == []
    assert roles(conversation=conversation, role="editor") == [(bob.id, "editor")]
    assert roles(conversation=conversation, role="it's % nobody") == []


def test_it_is_put_together_once(alice: User, conversation: UUID) -> None:
    asked = []

    @Prepared
    def query(id_: UUID) -> QuerySet[Conversation, Conversation]:
        asked.append(id_)
        return Conversation.objects.filter(id=id_)

    assert [query.first(id_=conversation) == query.first(id_=new_id()) for _ in range(3)] == [False] * 3
    assert len(asked) == 1


def test_lists_are_for_in_alone(alice: User) -> None:
    @Prepared
    def query(ids: list[UUID]) -> QuerySet[Conversation, Conversation]:
        return Conversation.objects.filter(id=ids[0])

    with CaptureQueriesContext(connection) as captured, pytest.raises(AssertionError, match="__in"):
        query(ids=[new_id()])
    assert not captured.captured_queries


def test_lists_of_what_is_stored_as_text(alice: User, bob: User, conversation: UUID) -> None:
    @Prepared
    def query(users: list[UUID]) -> QuerySet[Message, Message]:
        return Message.objects.filter(author_id__in=list(map(str, users))).order_by("seq")

    for user in (alice, bob):
        messages.send(user=user, conversation=conversation, text="Hello", cmid="1").result(30)
    assert [row.author_id for row in query(users=[alice.id, bob.id])] == [str(alice.id), str(bob.id)]
    assert query(users=[]) == []


def test_no_argument_is_lost(alice: User) -> None:
    """In a pattern it would for ever be the value that stood in for it."""

    @Prepared
    def query(part: str) -> QuerySet[User, User]:
        return User.objects.filter(username__contains=part)

    with pytest.raises(AssertionError, match="part"):
        query(part=alice.username)
