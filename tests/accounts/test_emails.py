"""E-mail addresses: claimed, confirmed, changed, and who is told."""

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings

from accounts.models import AuditEntry, User
from accounts.services import users
from tests.accounts.visitor import Visitor, address, link_in, logged_in, mails_to, text
from tests.api import Api
from tests.leaks import PASSWORD

EMAIL = "/accounts/email/"


def confirmed(user: User) -> str:
    """An address of `user`, which they confirmed by the link in the mail."""
    email, browser = address(), logged_in(user)
    browser.post(EMAIL, {"action_add": "", "email": email})
    link = link_in(mails_to(email)[-1])
    assert "Confirm" in text(browser.get(link))
    browser.post(link)
    assert EmailAddress.objects.get(email=email).verified
    return email


def test_an_address_is_confirmed_by_the_link_in_a_mail(alice: User) -> None:
    email = confirmed(alice)
    assert f"{email} confirmed" in logged_in(alice).shown("/account/")
    assert Visitor().post("/accounts/login/", {"login": email.upper(), "password": PASSWORD}).status_code == 302


def test_signing_up_with_an_address_sends_a_link() -> None:
    email = address()
    form = {"username": email.partition("@")[0], "email": email, "password1": PASSWORD, "password2": PASSWORD}
    assert Visitor().post("/accounts/signup/", form).headers["Location"] == "/"
    assert link_in(mails_to(email)[-1]).startswith("/accounts/confirm-email/")


def test_registering_over_the_api_sends_a_link_too() -> None:
    email = address()
    made = Api(None).post("auth/register/", {"username": email[:12], "password": PASSWORD, "email": email.upper()})
    assert (made.status, made.json["user"]["email"]) == (201, email)
    Visitor().post(link_in(mails_to(email)[-1]))
    assert EmailAddress.objects.get(email=email).verified


def test_an_address_belongs_to_who_confirms_it(alice: User, mallory: User) -> None:
    """Claiming one that somebody else confirmed gives nothing, and the mail goes to its owner."""
    email = confirmed(alice)
    browser = logged_in(mallory)
    browser.post(EMAIL, {"action_add": "", "email": email})
    assert not EmailAddress.objects.filter(user=mallory, verified=True).exists()
    assert User.objects.get(id=mallory.id).email == ""
    Visitor().post("/accounts/password/reset/", {"email": email})
    assert alice.username in mails_to(email)[-1]


def test_a_link_is_of_no_use_twice_or_changed(alice: User) -> None:
    confirmed(alice)
    assert "expired or is invalid" in text(Visitor().get("/accounts/confirm-email/forged/"))


def test_claimed_addresses_are_changed_over_the_api(as_alice: Api, alice: User) -> None:
    first, second = address(), address()
    assert as_alice.patch("me/", {"email": first}).json["email"] == first
    logged_in(alice).get(EMAIL)  # has allauth take it over
    assert as_alice.patch("me/", {"email": second}).json["email"] == second
    assert not EmailAddress.objects.filter(email=first).exists()


def test_a_confirmed_address_is_not_changed_with_a_token_alone(as_alice: Api, alice: User) -> None:
    email = confirmed(alice)
    before = as_alice.get("me/").json
    assert as_alice.patch("me/", {"email": address(), "name": "Mallory"}).code == "forbidden"
    assert as_alice.get("me/").json == before
    assert as_alice.patch("me/", {"email": email, "name": "Alice B."}).json["name"] == "Alice B."


def test_who_was_away_for_long_shows_the_password_again(alice: User) -> None:
    browser = logged_in(alice)
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": 0, "username": alice.username}]
    session.save()
    answer = browser.post(EMAIL, {"action_add": "", "email": address()})
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(user=alice).exists()


@pytest.fixture
def mandatory(settings: LazySettings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]


def test_where_addresses_have_to_be_confirmed_nobody_comes_in_before(mandatory: None) -> None:
    email, visitor = address(), Visitor()
    form = {"username": email[:12], "email": email, "password1": PASSWORD, "password2": PASSWORD}
    assert visitor.post("/accounts/signup/", form).headers["Location"] == "/accounts/confirm-email/"
    assert not visitor.is_logged_in()
    credentials = {"username": email[:12], "password": PASSWORD}
    assert Api(None).post("auth/token/", credentials).code == "unauthenticated"
    assert Api(None).post("auth/register/", {**credentials, "username": email[1:12]}).code == "forbidden"

    visitor.post(link_in(mails_to(email)[-1]))
    assert Api(None).post("auth/token/", credentials).status == 200


def test_a_mail_server_that_is_away_stops_nobody(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    email = address()
    form = {"username": email[:12], "email": email, "password1": PASSWORD, "password2": PASSWORD}
    assert Visitor().post("/accounts/signup/", form).headers["Location"] == "/"
    made = Api(None).post("auth/register/", {"username": email[1:12], "password": PASSWORD, "email": address()})
    assert made.status == 201


def test_a_change_on_the_page_is_a_new_version_and_leaves_a_trace(alice: User) -> None:
    before = User.objects.get(id=alice.id)
    email = confirmed(alice)
    after = User.objects.get(id=alice.id)
    assert (after.email, after.version > before.version) == (email, True)
    assert AuditEntry.objects.filter(action="user.email_confirmed", target_id=str(alice.id)).exists()


def test_mails_cannot_be_had_without_end(as_alice: Api) -> None:
    first = address()
    for _ in range(3):
        as_alice.patch("me/", {"email": first})
    assert len(mails_to(first)) == 1
    others = [address() for _ in range(12)]
    for email in others:
        assert as_alice.patch("me/", {"email": email}).status == 200
    assert not mails_to(others[-1])


def test_an_address_that_staff_give_takes_the_place_of_the_others(alice: User) -> None:
    confirmed(alice)
    alice.email = address()
    users.save_as_staff(user=alice, changed=["email"])
    assert not EmailAddress.objects.filter(user=alice).exists()
