"""Second factors: an authenticator app, recovery codes; on the pages and over the API."""

import re
import secrets
import time
from base64 import b64encode
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import Permission
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import AuditEntry, User
from accounts.services import factors
from chatproject.lib import keyring
from chatproject.lib.crypto import CryptoError
from tests.accounts.visitor import Visitor, logged_in, text
from tests.api import Answer, Api
from tests.conftest import new_user
from tests.conversations.support import at_once
from tests.leaks import PASSWORD

HALF_MINUTE = 30


def code(secret: str, *, steps: int = 0) -> str:
    """What an authenticator app shows, or will show `steps` half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // HALF_MINUTE + steps))


class Guarded:
    """Alice with an authenticator app, which she has just set up in `browser`."""

    def __init__(self, user: User) -> None:
        self.user, self.browser = user, logged_in(user)
        form = self.browser.get("/accounts/2fa/totp/activate/").content.decode()
        found = re.search(r'id="authenticator_secret"[^>]*value="([A-Z2-7]+)"', form)
        assert found
        self.secret = found[1]
        answer = self.browser.post("/accounts/2fa/totp/activate/", {"code": code(self.secret)})
        assert answer.status_code == 302, text(answer)

    def recovery_codes(self) -> list[str]:
        return str(self.browser.get("/accounts/2fa/recovery-codes/download/").content.decode()).split()


@pytest.fixture
def guarded(alice: User) -> Guarded:
    return Guarded(alice)


def log_in(user: User, **more: str) -> Answer:
    return Api(None).post("auth/token/", {"username": user.username, "password": PASSWORD, **more})


def test_the_page_asks_for_a_code(guarded: Guarded) -> None:
    visitor = Visitor()
    assert visitor.log_in(guarded.user).headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert not visitor.is_logged_in()
    assert "Incorrect code" in text(visitor.post("/accounts/2fa/authenticate/", {"code": "000000"}))
    assert visitor.post("/accounts/2fa/authenticate/", {"code": code(guarded.secret, steps=1)}).status_code == 302
    assert visitor.is_logged_in()


def test_the_api_asks_for_a_code(guarded: Guarded) -> None:
    for otp, sentence in (("", "send a code"), ("000000", "wrong"), ("x" * 32, "wrong")):
        answer = log_in(guarded.user, otp=otp)
        assert (answer.code, list(answer.json["errors"])) == ("unauthenticated", ["otp"])
        assert sentence in answer.json["detail"]
    assert log_in(guarded.user, otp="x" * 33).code == "invalid"
    good = log_in(guarded.user, otp=code(guarded.secret))
    assert Api(good.json["access"]).get("me/").status == 200


def test_a_wrong_password_tells_nothing_of_the_second_factor(guarded: Guarded) -> None:
    wrong = {"username": guarded.user.username, "password": "wrong", "otp": code(guarded.secret)}
    answer = Api(None).post("auth/token/", wrong)
    assert (answer.code, answer.json.get("errors")) == ("unauthenticated", None)


def test_a_code_is_good_for_one(guarded: Guarded) -> None:
    shown = code(guarded.secret)
    answers = at_once(8, lambda _: log_in(guarded.user, otp=shown))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 7


def test_a_recovery_code_is_good_for_one(guarded: Guarded) -> None:
    first, second, *rest = guarded.recovery_codes()
    assert len(rest) == 8
    answers = at_once(8, lambda _: log_in(guarded.user, otp=first))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 7

    visitor = Visitor()
    visitor.log_in(guarded.user)
    visitor.post("/accounts/2fa/authenticate/", {"code": second})
    assert visitor.is_logged_in()
    assert guarded.recovery_codes() == rest


def test_who_has_no_second_factor_needs_no_code(alice: User) -> None:
    assert log_in(alice).status == log_in(alice, otp="").status == log_in(alice, otp="123456").status == 200


def test_it_can_be_taken_away_again(guarded: Guarded) -> None:
    assert guarded.browser.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert log_in(guarded.user).status == 200
    assert not Authenticator.objects.filter(user=guarded.user).exists()


def test_secrets_are_not_stored_in_clear(guarded: Guarded) -> None:
    guarded.recovery_codes()
    stored = {row.type: str(row.data) for row in Authenticator.objects.filter(user=guarded.user)}
    assert sorted(stored) == ["recovery_codes", "totp"]
    assert guarded.secret not in str(stored)
    sealed = Authenticator.objects.get(user=guarded.user, type="totp").data["secret"]
    assert factors.unseal(sealed) == guarded.secret
    with pytest.raises(CryptoError):
        factors.unseal(sealed[:-4] + "AAA=")


def test_guessing_codes_is_slowed_down(guarded: Guarded) -> None:
    visitor = Visitor()
    visitor.log_in(guarded.user)
    said = [text(visitor.post("/accounts/2fa/authenticate/", {"code": "000000"})) for _ in range(8)]
    assert "Too many" in said[-1]


def test_the_admin_has_no_door_without_it(guarded: Guarded) -> None:
    User.objects.filter(id=guarded.user.id).update(is_staff=True)
    visitor = Visitor()
    answer = visitor.post("/admin/login/", {"username": guarded.user.username, "password": PASSWORD})
    assert answer.headers["Location"].startswith("/accounts/login/?next=")
    assert visitor.get("/admin/").status_code == 302


def test_staff_take_them_away_from_who_lost_theirs(guarded: Guarded, bob: User) -> None:
    staff, boss = logged_in(bob), new_user("Boss")
    chosen = {"action": "take_factors_away", "_selected_action": str(guarded.user.id)}
    User.objects.filter(id=bob.id).update(is_staff=True)
    bob.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user"]))
    staff.post("/admin/accounts/user/", chosen)
    assert log_in(guarded.user).code == "unauthenticated"

    User.objects.filter(id=boss.id).update(is_staff=True, is_superuser=True)
    logged_in(boss).post("/admin/accounts/user/", chosen)
    assert log_in(guarded.user).status == 200
    trace = AuditEntry.objects.get(action="user.factors_removed", target_id=str(guarded.user.id))
    assert trace.actor == boss


def test_secrets_are_sealed_by_the_first_key_after_a_rotation(guarded: Guarded, settings: Settings) -> None:
    guarded.recovery_codes()
    old = list(settings.ENCRYPTION_KEYS)
    new = f"n{secrets.token_hex(4)}"
    try:
        settings.ENCRYPTION_KEYS = [f"{new}:{b64encode(secrets.token_bytes(32)).decode()}", *old]
        keyring.keyring.cache_clear()
        before = stored_secrets(guarded.user)
        call_command("rotate_keys", "--force", stdout=StringIO())
        after = stored_secrets(guarded.user)
        assert {keyring.sealed_by(one) for one in after} == {new}
        assert [factors.unseal(one) for one in after] == [factors.unseal(one) for one in before]
        assert log_in(guarded.user, otp=code(guarded.secret)).status == 200
    finally:
        settings.ENCRYPTION_KEYS = [*old, settings.ENCRYPTION_KEYS[0]]
        keyring.keyring.cache_clear()
        call_command("rotate_keys", "--force", stdout=StringIO())
        settings.ENCRYPTION_KEYS = old
        keyring.keyring.cache_clear()


def stored_secrets(user: User) -> list[str]:
    rows = Authenticator.objects.filter(user=user).order_by("id")
    return [row.data[factors.SECRETS[row.type]] for row in rows]
