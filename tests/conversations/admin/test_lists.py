"""Lists: found by id and owner, filtered, and as cheap for five hundred as for five."""

import re
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import conversations, feedback, messages, runs
from tests.conversations.admin.conftest import TITLE, Case

LIST = "/admin/conversations/conversation/"
RUNS = "/admin/conversations/run/"


def found(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def queries(client: Client, path: str, **query: str) -> int:
    """How many queries a page takes, once Django's own caches (content types) are warm."""
    found(client, path, **query)
    with CaptureQueriesContext(connection) as captured:
        found(client, path, **query)
    return len(captured)


def create(user: User, count: int) -> list[UUID]:
    made = [
        conversations.create(user=user, title=f"Thread {n}", assistant="guide", message="Hello") for n in range(count)
    ]
    return [item.result().conversation.id for item in made]


def rows_of(page: str) -> int:
    return len(re.findall(r'name="_selected_action"', page))


def test_a_conversation_is_found_by_its_id_and_by_its_owner(root: Client, alice: User, case: Case) -> None:
    for query in (str(case.conversation), case.conversation.hex, str(alice.id), alice.username):
        page = found(root, LIST, q=query)
        assert str(case.conversation) in page, query
        assert rows_of(page) == 1, query
    assert rows_of(found(root, LIST, q="nobody-of-that-name")) == 0


def test_a_conversation_is_not_found_by_its_title(root: Client, case: Case) -> None:
    assert str(case.conversation) not in found(root, LIST, q=TITLE)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"status__exact": "open"}, 1),
        ({"status__exact": "closed"}, 0),
        ({"assistant": "guide"}, 1),
        ({"assistant": "openai"}, 0),
        ({"updated_at__gte": "2001-01-01 00:00:00Z"}, 1),
        ({"updated_at__lt": "2001-01-01 00:00:00Z"}, 0),
    ],
)
def test_filters(root: Client, case: Case, query: dict[str, str], shown: int) -> None:
    assert rows_of(found(root, LIST, q=str(case.conversation), **query)) == shown


@pytest.mark.parametrize(
    ("marks", "counters"),
    [
        ({"rating": "up"}, ["up"]),
        ({"rating": "down", "solved": True}, ["down", "solved"]),
        ({"copied": True}, ["copied"]),
    ],
)
def test_filters_by_feedback(
    root: Client, alice: User, case: Case, marks: dict[str, object], counters: list[str]
) -> None:
    message = Message.objects.filter(conversation=case.conversation).earliest("seq").id
    feedback.give(user=alice, conversation=case.conversation, message=message, changes=marks).result(30)

    for counter in Conversation.COUNTERS:
        shown = rows_of(found(root, LIST, q=str(case.conversation), **{counter: "yes"}))
        assert shown == int(counter in (*counters, "down")), counter
        assert rows_of(found(root, LIST, q=str(case.conversation), **{counter: "no"})) == 1 - shown


def test_runs_are_found_by_run_conversation_and_status(root: Client, case: Case) -> None:
    assert rows_of(found(root, RUNS, q=str(case.ended))) == 1
    assert rows_of(found(root, RUNS, q=str(case.conversation))) == 2
    assert rows_of(found(root, RUNS, conversation__id__exact=str(case.conversation), status__exact="running")) == 1


@pytest.fixture
def as_many_as_wanted(settings: Settings) -> None:
    settings.RUNS_PER_USER = settings.LIMIT_RUN = 0


@pytest.mark.usefixtures("as_many_as_wanted")
def test_the_list_of_five_hundred_takes_as_many_queries_as_that_of_five(root: Client, alice: User, bob: User) -> None:
    create(alice, 5)
    many = create(bob, 500)
    few_queries = queries(root, LIST, q=alice.username)
    assert queries(root, LIST, q=bob.username) == few_queries
    assert few_queries <= 8
    page = found(root, LIST, q=bob.username)
    assert rows_of(page) == 100
    assert str(many[-1]) in page


def test_the_list_of_runs_takes_a_constant_number_of_queries(root: Client, alice: User, bob: User) -> None:
    (one,) = create(alice, 1)
    (busy,) = create(bob, 1)
    for n in range(40):
        messages.send(user=bob, conversation=busy, text="Again", cmid=str(n)).result()
    assert queries(root, RUNS, q=str(busy)) == queries(root, RUNS, q=str(one)) <= 8


def test_the_page_of_a_long_conversation_takes_a_constant_number_of_queries(root: Client, alice: User) -> None:
    short, long = create(alice, 2)
    claim_and_end(short)
    for n in range(20):
        claim_and_end(long)
        messages.send(user=alice, conversation=long, text="Again", cmid=str(n)).result()
    path = LIST + "{}/change/"
    assert queries(root, path.format(long)) == queries(root, path.format(short)) <= 16


def claim_and_end(conversation: UUID) -> None:
    claim = runs.claim(conversation=conversation, worker="w")
    assert claim
    runs.end(claim=claim, status="completed", text="Yes").result()
