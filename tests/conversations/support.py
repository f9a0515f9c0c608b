"""What tests of the log share: looking at it, holding its locks, and proving that it is the truth."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection, connections

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import wire
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.integrity import repairing
from conversations.models import Conversation, Event, Feedback, Member, Message, Run
from conversations.services import messages, runs

T = TypeVar("T")
Json = dict[str, Any]


def frames(conversation: UUID) -> list[Json]:
    """The log as it is stored now, in the public form."""
    return wire.stored_events(Event.objects.filter(conversation=conversation).order_by("seq"))


def texts(conversation: UUID) -> list[str]:
    """What was said, in order."""
    return [frame["data"]["text"] for frame in frames(conversation) if frame["type"] == "message:new"]


def check_numbers(conversation: UUID) -> int:
    """Assert seq 1..head without a hole, times that never go back, and head; return head."""
    rows = list(Event.objects.filter(conversation=conversation).order_by("seq").values_list("seq", "at"))
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    assert [at for _, at in rows] == sorted(at for _, at in rows)
    assert Conversation.objects.get(id=conversation).last_seq == len(rows)
    return len(rows)


def projected(conversation: UUID) -> Json:
    """All derived rows of a conversation, but for the numbers that the database gives to rows."""
    members = Member.objects.filter(conversation=conversation).order_by("user_id").values()
    feedback = Feedback.objects.filter(conversation=conversation).order_by("message", "user").values()
    return {
        "conversation": Conversation.objects.filter(id=conversation).values().get(),
        "messages": list(Message.objects.filter(conversation=conversation).order_by("seq").values()),
        "runs": list(Run.objects.filter(conversation=conversation).order_by("queued_seq", "id").values()),
        "members": [_without_id(row) for row in members],
        "feedback": [_without_id(row) for row in feedback],
    }


def _without_id(row: Any) -> Json:
    return {name: value for name, value in row.items() if name != "id"}


def replayed(conversation: UUID) -> None:
    """Assert that old state + new events == fresh state: what verbs wrote is what the log alone gives."""
    before = projected(conversation)
    repairing.rebuild(conversation)
    assert projected(conversation) == before
    check_numbers(conversation)


def say(user: User, conversation: UUID, text: str = "Hello", **given: Any) -> UUID:
    """Send a message; its id."""
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id()), **given).result(30)
    return UUID(sent.main["data"]["message"])


def answer(conversation: UUID, text: str = "Answer", status: str = "completed") -> UUID:
    """Have the oldest queued run answered; the id of the answer."""
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    runs.end(claim=claim, status=status, text=text).result(30)
    return claim.message


def refusal(future: "Future[Committed]") -> str:
    """The code with which an append was refused."""
    error = future.exception(30)
    assert isinstance(error, Problem), error
    return error.code.name


def note(
    author: User,
    conversation: UUID,
    text: str = "Hello",
    *,
    cmid: str,
    decide: Callable[[State, Draft], None] = lambda state, draft: None,
    effects: Sequence[Callable[[], object]] = (),
) -> Append:
    """A plain message as an append of our own, with a decision that may refuse or break."""
    draft = Draft("message:new", {"message": str(new_id()), "text": text})

    def decision(state: State) -> Decision:
        decide(state, draft)
        return Decision([draft], effects)

    return Append(conversation, Actor.of(author), cmid, decision, body=text, drafts=[draft])


@contextmanager
def another_connection(database: str = "") -> Iterator[psycopg.Connection]:
    """A connection to the test database (or another) that belongs to nobody else; rolled back at the end."""
    parameters = connection.settings_dict
    with psycopg.connect(
        dbname=database or parameters["NAME"],
        user=parameters["USER"],
        password=parameters["PASSWORD"],
        host=parameters["HOST"],
        port=parameters["PORT"] or None,
    ) as other:
        yield other
        other.rollback()


def environment(**variables: str) -> dict[str, str]:
    """What a process of its own needs to work on the test database."""
    url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    return {**os.environ, "DATABASE_URL": urlunsplit(url), "PYTHONUNBUFFERED": "1", **variables}


@contextmanager
def locked(conversation: UUID) -> Iterator[None]:
    """Somebody else holds the conversation's row."""
    with another_connection() as other:
        other.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR UPDATE", [conversation])
        yield


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Do `work(0)` .. `work(count - 1)` in as many threads; their results in order."""

    def worker(number: int) -> T:
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(min(count, settings.DB_POOL_SIZE * 4)) as threads:
        return list(threads.map(worker, range(count)))
