"""Closing an account: what ends, what is erased, what is forgotten, and what stays."""

from uuid import UUID

import pytest
from allauth.account.models import EmailAddress

from accounts.models import AuditEntry, User
from accounts.services import tokens, users
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import queue
from conversations.models import Conversation, Event, Member
from conversations.services import conversations, leaving
from tests.accounts.visitor import Visitor, logged_in, text
from tests.api import Api
from tests.leaks import PASSWORD
from tests.sockets import connect


def close(user: User) -> None:
    """And what a worker does then."""
    leaving.close_account(user=user)
    leaving.leave_all(user=str(user.id))


def test_the_page_asks_once_more(alice: User) -> None:
    browser = logged_in(alice)
    assert alice.username in browser.shown("/account/close/")
    assert browser.post("/account/close/").status_code == 400
    assert User.objects.get(id=alice.id).is_active

    assert "is closed" in text(browser.post("/account/close/", {"sure": "1"}))
    assert not browser.is_logged_in()
    assert Visitor().log_in(alice).status_code == 200
    credentials = {"username": alice.username, "password": PASSWORD}
    assert Api(None).post("auth/token/", credentials).code == "unauthenticated"


def test_who_was_away_for_long_shows_the_password_again(alice: User) -> None:
    browser = Visitor()
    browser.force_login(alice)
    answer = browser.post("/account/close/", {"sure": "1"})
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert User.objects.get(id=alice.id).is_active


def test_nothing_tells_who_it_was(alice: User) -> None:
    users.update_profile(user=alice, changes={"email": f"{alice.username}@example.org", "preferences": {"a": 1}})
    EmailAddress.objects.create(user=alice, email=f"{alice.username}@example.org", verified=True)
    close(alice)
    after = User.objects.get(id=alice.id)
    assert (after.name, after.email, after.preferences, after.is_active) == ("", "", {}, False)
    assert alice.username not in after.username
    assert not EmailAddress.objects.filter(user=alice).exists()
    assert AuditEntry.objects.filter(action="user.closed", target_id=str(alice.id)).exists()


def test_what_they_owned_is_erased_and_the_rest_is_left(alice: User, bob: User, conversation: UUID) -> None:
    editor = [{"user": str(alice.id), "role": "editor"}]
    of_bob = conversations.create(user=bob, title="Of Bob", members=editor).result().conversation.id
    close(alice)
    close(alice)  # a job may come again
    assert Conversation.objects.get(id=conversation).erased
    assert not Conversation.objects.get(id=of_bob).erased
    assert list(Member.objects.filter(conversation=of_bob).values_list("user_id", flat=True)) == [bob.id]
    assert Event.objects.filter(conversation=of_bob, type="member:remove").count() == 1


def test_a_worker_is_asked_to_do_it(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(queue, "enqueue", lambda name, **arguments: asked.append((name, arguments)))
    leaving.close_account(user=alice)
    assert asked == [(queue.LEAVE, {"user": str(alice.id)})]


def test_administrators_stay(alice: User) -> None:
    User.objects.filter(id=alice.id).update(is_superuser=True)
    with pytest.raises(Problem, match="forbidden"):
        leaving.close_account(user=User.objects.get(id=alice.id))
    assert User.objects.get(id=alice.id).is_active


async def test_everything_open_ends(alice: User, realtime_layer: None) -> None:
    access = (await in_thread(tokens.issue, alice))["access"]
    async with connect(alice) as socket:
        await in_thread(lambda: leaving.close_account(user=alice))
        assert await socket.closed_with(seconds=2) == 4501
    with pytest.raises(Problem, match="unauthenticated"):
        await in_thread(tokens.identify, access)
