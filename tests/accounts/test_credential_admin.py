"""Logins and API keys in the admin: found, shown without secrets, ended."""

from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import ApiKey, AuditEntry, Login, User
from accounts.services import apikeys
from tests.conftest import identity_of, new_user

LOGINS, KEYS = "/admin/accounts/login/", "/admin/accounts/apikey/"


def staff(*permissions: str) -> tuple[User, Client]:
    user = new_user("Helper")
    User.objects.filter(id=user.id).update(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts", codename__in=permissions))
    browser = Client()
    browser.force_login(User.objects.get(id=user.id))
    return user, browser


def test_logins_are_ended_by_staff_who_may(alice: User) -> None:
    login = identity_of(alice).login
    form = {"action": "end_selected", "_selected_action": [str(login)]}
    _, looker = staff("view_login")
    looker.post(LOGINS, form)
    assert Login.objects.living().filter(id=login).exists()

    helper, browser = staff("view_login", "change_login")
    assert str(login) in browser.get(LOGINS, {"q": str(alice.id)}).content.decode()
    assert browser.post(LOGINS, form, follow=True).status_code == 200
    assert Login.objects.get(id=login).reason == "staff"
    assert AuditEntry.objects.get(action="login.ended", target_id=str(login)).actor == helper


def test_keys_are_revoked_by_staff_who_may(alice: User) -> None:
    key, secret = apikeys.create(user=alice, name="Robot", scopes=["read"])
    form = {"action": "revoke_selected", "_selected_action": [str(key.id)]}
    _, looker = staff("view_apikey")
    looker.post(KEYS, form)
    assert ApiKey.objects.living().filter(id=key.id).exists()

    helper, browser = staff("view_apikey", "change_apikey")
    shown = [browser.get(KEYS, {"q": alice.username}), browser.get(f"{KEYS}{key.id}/change/")]
    for answer in shown:
        assert key.prefix in answer.content.decode()
        assert secret not in answer.content.decode()
    assert browser.post(KEYS, form, follow=True).status_code == 200
    assert not ApiKey.objects.living().filter(id=key.id).exists()
    assert AuditEntry.objects.get(action="api_key.revoked", target_id=str(key.id)).actor == helper


def test_nothing_is_found_by_its_hash(alice: User) -> None:
    _, browser = staff("view_apikey", "view_login")
    assert browser.get(KEYS, {"digest": "x"}).status_code in (302, 400)
    assert browser.get(LOGINS, {"refresh_id__gt": "0"}).status_code in (302, 400)
