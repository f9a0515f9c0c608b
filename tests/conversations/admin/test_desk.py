"""The agents' desk: what waits, the longest first; claiming it there."""

from uuid import UUID

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from conversations.models import Conversation
from conversations.services import conversations, handoff
from tests.conversations.admin.conftest import browser, new_staff

DESK = "/admin/conversations/deskentry/"


@pytest.fixture
def dora() -> User:
    return new_staff("Dora", "answer_as_agent")


@pytest.fixture
def desk(dora: User) -> Client:
    return browser(dora)


def waiting(user: User, title: str, reason: str = "") -> UUID:
    made = conversations.create(user=user, title=title, assistant="guide").result(30)
    handoff.hand_off(user=user, conversation=made.conversation.id, reason=reason).result(30)
    return made.conversation.id


def test_the_longest_waiting_first_and_what_is_taken_last(alice: User, desk: Client) -> None:
    first, second, taken = (waiting(alice, name, f"because {name}") for name in ("Anise", "Basil", "Cumin"))
    handoff.claim(user=new_staff("Emil", "answer_as_agent"), conversation=taken).result(30)
    page = desk.get(DESK + "?all=1").content.decode()
    places = [page.index(f"because {name}") for name in ("Anise", "Basil")]
    assert places == sorted(places)
    assert page.index("Basil") < page.rindex("Cumin")
    assert "Emil" in page
    assert f"{DESK}{first}/claim/" in page
    assert f"{DESK}{taken}/claim/" not in page
    assert str(second) in page


def test_claiming_leads_to_the_conversation(alice: User, desk: Client, dora: User) -> None:
    conversation = waiting(alice, "Anise")
    answer = desk.post(f"{DESK}{conversation}/claim/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/c/{conversation}/")
    assert desk.get(f"/c/{conversation}/").status_code == 200
    assert f"{DESK}{conversation}/release/" in desk.get(DESK).content.decode()
    desk.post(f"{DESK}{conversation}/release/")
    assert Conversation.objects.get(id=conversation).status == "open"
    assert desk.get(f"/c/{conversation}/").status_code == 404, "a member only to answer"
    assert AuditEntry.objects.filter(actor=dora, action="conversation.claimed").count() == 1


def test_who_is_too_late_is_told_by_whom_it_was_taken(alice: User, desk: Client) -> None:
    conversation = waiting(alice, "Anise")
    handoff.claim(user=new_staff("Emil", "answer_as_agent"), conversation=conversation).result(30)
    page = desk.post(f"{DESK}{conversation}/claim/", follow=True).content.decode()
    assert "Emil has taken this conversation." in page


def test_looking_leaves_a_trace(alice: User, desk: Client, dora: User) -> None:
    conversation = waiting(alice, "Anise")
    desk.get(DESK)
    entry = AuditEntry.objects.filter(actor=dora, action="conversation.titles_read").latest("at")
    assert str(conversation) in entry.detail["conversations"]


def test_nobody_else_comes_to_the_desk(alice: User, root: Client) -> None:
    conversation = waiting(alice, "Anise")
    looker = browser(new_staff("Looker", "view_conversation", "read_content"))
    assert looker.get(DESK).status_code == 403
    assert looker.post(f"{DESK}{conversation}/claim/").status_code == 403
    assert browser(alice).post(f"{DESK}{conversation}/claim/").status_code == 302
    assert Conversation.objects.get(id=conversation).status == "waiting"
    assert root.get(f"{DESK}{conversation}/claim/").status_code == 405
    assert root.get(f"{DESK}{conversation}/change/").status_code in (302, 404)
    assert root.get("/admin/").status_code == 200


def test_in_chinese(alice: User, desk: Client) -> None:
    waiting(alice, "Anise")
    desk.cookies["django_language"] = "zh-hans"
    assert "客服工作台" in desk.get(DESK).content.decode()
