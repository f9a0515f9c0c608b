"""Staff see who was here, and end a session."""

from django.test import Client

from accounts.models import User
from conversations.models import Session
from conversations.services import sessions
from tests.conversations.admin.conftest import browser, new_staff
from tests.conversations.admin.test_acting import act, audited

SESSIONS = "/admin/conversations/session/"


def test_the_list_is_filtered_and_has_figures(root: Client, alice: User) -> None:
    mine = sessions.begin_http(user=alice, client_id="shop")
    page = root.get(f"{SESSIONS}?kind=http&q={alice.id}").content.decode()
    assert str(mine.id) in page
    assert "begun in the last hour" in page
    assert str(mine.id) not in root.get(f"{SESSIONS}?kind=websocket").content.decode()


def test_one_session_is_shown(root: Client, alice: User) -> None:
    mine = sessions.begin_http(user=alice, client_id="shop", data={"cart": 7})
    page = root.get(f"{SESSIONS}{mine.id}/change/").content.decode()
    assert "shop" in page


def test_ending_one(root: Client, root_user: User, alice: User) -> None:
    mine = sessions.begin_http(user=alice)
    assert "1 session was ended." in act(root, SESSIONS, "end_selected", mine.id)
    assert Session.objects.get(id=mine.id).reason == "staff"
    assert [entry.actor for entry in audited("session.ended", mine.id)] == [root_user]


def test_who_only_looks_ends_none(alice: User) -> None:
    mine = sessions.begin_http(user=alice)
    act(browser(new_staff("Clerk", "view_session")), SESSIONS, "end_selected", mine.id)
    assert Session.objects.get(id=mine.id).ended_at is None
