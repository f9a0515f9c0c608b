"""Passwords on the pages: changed, forgotten, replaced; and what that ends."""

import pytest

from accounts.models import AuditEntry, User
from accounts.services import tokens, users
from chatproject.lib.threads import in_thread
from tests.accounts.visitor import Visitor, address, link_in, logged_in, mails_to, text
from tests.api import Api
from tests.leaks import PASSWORD
from tests.sockets import connect

NEW = "another correct horse 10"
CHANGE = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}


def test_a_changed_password_ends_all_other_logins(alice: User) -> None:
    here, there = logged_in(alice), logged_in(alice)
    access = tokens.issue(alice)["access"]
    assert here.post("/accounts/password/change/", CHANGE).status_code == 302

    assert here.is_logged_in()
    assert not there.is_logged_in()
    assert Api(access).get("me/").code == "unauthenticated"
    assert Visitor().log_in(alice).status_code == 200
    assert Visitor().log_in(alice, NEW).status_code == 302
    assert AuditEntry.objects.filter(action="user.password_changed", target_id=str(alice.id)).count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"oldpassword": "wrong"}, "current password"),
        ({"password2": "something else 11"}, "same password"),
        ({"password1": "123", "password2": "123"}, "too short"),
    ],
)
def test_what_is_wrong_with_a_change_is_said(alice: User, changes: dict[str, str], sentence: str) -> None:
    browser = logged_in(alice)
    assert sentence in text(browser.post("/accounts/password/change/", {**CHANGE, **changes}))
    assert User.objects.get(id=alice.id).check_password(PASSWORD)


async def test_a_changed_password_closes_sockets(alice: User, realtime_layer: None) -> None:
    """As everything open under the password of before, within 2 s."""
    browser = await in_thread(logged_in, alice)
    async with connect(alice) as socket:
        await in_thread(browser.post, "/accounts/password/change/", CHANGE)
        assert await socket.closed_with(seconds=2) == 4501


def test_a_forgotten_password_is_replaced_by_a_link(alice: User) -> None:
    email = address()
    users.update_profile(user=alice, changes={"email": email})
    somewhere, access, visitor = logged_in(alice), tokens.issue(alice)["access"], Visitor()
    answer = visitor.post("/accounts/password/reset/", {"email": email})
    assert answer.status_code == 302
    link = link_in(mails_to(email)[-1])

    form = visitor.get(link, follow=True)
    assert NEW not in text(form)
    assert "Change Password" in text(form)
    done = visitor.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    assert done.headers["Location"] == "/accounts/password/reset/key/done/"
    assert not visitor.is_logged_in()
    assert not somewhere.is_logged_in()
    assert Api(access).get("me/").code == "unauthenticated"
    assert visitor.log_in(alice, NEW).status_code == 302

    assert "invalid" in text(Visitor().get(link, follow=True))
    assert "reset" in mails_to(email)[-1]


def test_who_has_no_account_is_not_told_apart(alice: User) -> None:
    email = address()
    users.update_profile(user=alice, changes={"email": email})
    answers = [Visitor().post("/accounts/password/reset/", {"email": one}) for one in (email, address())]
    assert len({(answer.status_code, answer.headers["Location"]) for answer in answers}) == 1


@pytest.mark.parametrize("path", ["/accounts/password/reset/key/1-set-password/", "/accounts/password/reset/key/1-x/"])
def test_links_that_are_none(path: str) -> None:
    assert "invalid" in text(Visitor().get(path, follow=True))
