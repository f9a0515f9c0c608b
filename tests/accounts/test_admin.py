"""Users and the audit trail in the admin."""

from uuid import UUID

import pytest
from django.contrib import admin
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import AuditEntry, User
from accounts.services import tokens
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from tests.conftest import PASSWORD
from tests.conversations.admin.conftest import browser, new_staff

USERS = "/admin/accounts/user/"
NEW_PASSWORD = "another correct horse 10"


@pytest.fixture
def boss() -> User:
    """A superuser."""
    user = new_staff("Boss")
    User.objects.filter(id=user.id).update(is_superuser=True)
    return User.objects.get(id=user.id)


@pytest.fixture
def as_boss(boss: User) -> Client:
    return browser(boss)


def profile(user: User, **changes: str) -> dict[str, str]:
    """What the form of a user sends; for a box that is not ticked give an empty string."""
    form = {"username": user.username, "name": user.name, "preferences": "{}", "is_active": "on", **changes}
    return {name: value for name, value in form.items() if value}


def trace(user: UUID, action: str) -> AuditEntry:
    return AuditEntry.objects.get(target_id=str(user), action=action)


def test_log_in_with_name_and_password(boss: User) -> None:
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", {"username": boss.username, "password": PASSWORD})
    assert answer.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_list_finds_users_by_name(as_boss: Client, alice: User) -> None:
    assert str(alice.id) in as_boss.get(USERS, {"q": alice.username}).content.decode()


def test_add_a_user_who_can_then_log_in(as_boss: Client, boss: User) -> None:
    username = f"carol-{new_id().hex[-12:]}"
    form = {"username": username, "name": "Carol", "password1": PASSWORD, "password2": PASSWORD}
    assert as_boss.post(f"{USERS}add/", form).status_code == 302

    carol = User.objects.get(username=username)
    assert (carol.name, carol.version) == ("Carol", 1)
    assert tokens.log_in(username=username, password=PASSWORD)
    assert trace(carol.id, "user.created").actor == boss


def test_a_change_raises_the_version_and_keeps_the_logins(as_boss: Client, boss: User, alice: User) -> None:
    login = tokens.issue(alice)
    assert as_boss.post(f"{USERS}{alice.id}/change/", profile(alice, name="Alicia")).status_code == 302

    changed = User.objects.get(id=alice.id)
    assert (changed.name, changed.version) == ("Alicia", alice.version + 1)
    assert tokens.identify(login["access"]).user == alice
    entry = trace(alice.id, "user.changed")
    assert (entry.actor, "Alicia" in str(entry.detail)) == (boss, False)


def test_deactivating_ends_the_logins(as_boss: Client, alice: User) -> None:
    login = tokens.issue(alice)
    as_boss.post(f"{USERS}{alice.id}/change/", profile(alice, is_active=""))
    as_boss.post(f"{USERS}{alice.id}/change/", profile(alice))
    assert User.objects.get(id=alice.id).is_active
    with pytest.raises(Problem, match="unauthenticated"):
        tokens.identify(login["access"])


def test_a_new_password_ends_the_logins_and_is_audited(as_boss: Client, boss: User, alice: User) -> None:
    login = tokens.issue(alice)
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert as_boss.post(f"{USERS}{alice.id}/password/", form).status_code == 302

    with pytest.raises(Problem, match="unauthenticated"):
        tokens.identify(login["access"])
    assert tokens.log_in(username=alice.username, password=NEW_PASSWORD)
    entry = trace(alice.id, "user.changed")
    assert (entry.actor, NEW_PASSWORD in str(entry.detail)) == (boss, False)


def test_a_weak_password_is_refused(as_boss: Client, alice: User) -> None:
    form = {"password1": "12345", "password2": "12345", "usable_password": "true"}
    answer = as_boss.post(f"{USERS}{alice.id}/password/", form)
    assert (answer.status_code, b"too short" in answer.content) == (200, True)
    assert tokens.log_in(username=alice.username, password=PASSWORD)


def test_nobody_deletes_users(as_boss: Client, alice: User) -> None:
    assert as_boss.post(f"{USERS}{alice.id}/delete/", {"post": "yes"}).status_code == 403
    as_boss.post(USERS, {"action": "delete_selected", "_selected_action": [str(alice.id)], "post": "yes"})
    assert User.objects.filter(id=alice.id).exists()


def test_staff_cannot_make_themselves_superusers(alice: User) -> None:
    helper = new_staff("Helper", "view_user", "change_user")
    form = profile(helper, name="Climber", is_superuser="on", is_staff="on")
    assert browser(helper).post(f"{USERS}{helper.id}/change/", form).status_code == 302
    changed = User.objects.get(id=helper.id)
    assert (changed.name, changed.is_superuser, changed.is_staff) == ("Climber", False, True)
    assert changed.user_permissions.count() == 2


def test_staff_cannot_touch_a_superuser(boss: User) -> None:
    helper = browser(new_staff("Helper", "view_user", "change_user"))
    assert helper.post(f"{USERS}{boss.id}/change/", profile(boss, name="Owned")).status_code == 403
    assert helper.post(f"{USERS}{boss.id}/password/", {"password1": NEW_PASSWORD}).status_code == 403
    assert tokens.log_in(username=boss.username, password=PASSWORD)


def test_the_password_hash_is_no_filter(as_boss: Client) -> None:
    assert as_boss.get(USERS, {"password__startswith": "p"}).status_code == 400


def test_the_audit_trail_is_found_and_only_read(as_boss: Client, alice: User) -> None:
    page = as_boss.get("/admin/accounts/auditentry/", {"q": str(alice.id)}).content.decode()
    assert "user.registered" in page
    entry = trace(alice.id, "user.registered")
    path = f"/admin/accounts/auditentry/{entry.id}/change/"
    assert as_boss.get(path).status_code == 200
    assert as_boss.post(path, {"action": "forged"}).status_code == 403


def test_people_who_are_no_staff_are_sent_away(alice: User) -> None:
    for client in (Client(), browser(alice)):
        for path in ("/admin/", USERS, f"{USERS}{alice.id}/change/", "/admin/accounts/auditentry/"):
            assert client.get(path).headers["Location"].startswith("/admin/login/")


def test_refresh_tokens_are_shown_to_nobody() -> None:
    assert OutstandingToken not in admin.site._registry
    assert BlacklistedToken not in admin.site._registry
