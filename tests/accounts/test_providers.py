"""Logging in through an OpenID provider that runs beside the test; it judges our requests, and lies when told to."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings

from accounts.models import User
from accounts.services import tokens, users
from chatproject.lib.ids import new_id
from chatproject.settings.login import with_pkce
from tests.accounts.visitor import Visitor, address, logged_in, text
from tests.api import Api
from tests.openid import CLIENT_ID, CLIENT_SECRET, Claims, Provider, query

LOGIN = "/accounts/oidc/oidc/login/"
CALLBACK = "/accounts/oidc/oidc/login/callback/"


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with Provider(f"http://testserver{CALLBACK}") as provider:
        yield provider


@pytest.fixture
def provider(server: Provider, settings: LazySettings) -> Provider:
    """The provider, as an operator makes it known; a new person is logged in there."""
    client = {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "settings": {"server_url": server.url}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": with_pkce(provider_id="oidc", name="Acme", **client)}
    server.person = person()
    server.lie = dict
    return server


def person(**more: Any) -> Claims:
    name = f"carol-{new_id().hex[-10:]}"
    return {
        "sub": new_id().hex,
        "preferred_username": name,
        "name": "Carol Smith",
        "email": address(),
        "email_verified": True,
        **more,
    }


def leave(visitor: Visitor, process: str = "login") -> str:
    """Press the button; the provider's address that one is sent to."""
    answer = visitor.post(f"{LOGIN}?process={process}")
    assert answer.status_code == 200
    return str(answer.context["address"])


def come_back(visitor: Visitor, address: str) -> Any:
    return visitor.get(address.removeprefix("http://testserver"))


def go_through(visitor: Visitor, provider: Provider, process: str = "login") -> Any:
    """To the provider, which lets one in, and back."""
    return come_back(visitor, provider.visit(leave(visitor, process)))


def failed(answer: Any) -> bool:
    return "Login Failure" in text(answer)


# --- Coming in --------------------------------------------------------------------------------------------


def test_somebody_new_gets_an_account(provider: Provider) -> None:
    visitor = Visitor()
    assert "Go on with Acme" in visitor.shown("/accounts/login/")
    assert go_through(visitor, provider).headers["Location"] == "/"

    user = User.objects.get(username=provider.person["preferred_username"])
    assert (user.name, user.email) == ("Carol Smith", provider.person["email"])
    assert EmailAddress.objects.get(user=user).verified
    assert not user.has_usable_password()
    assert provider.person["name"] in visitor.shown("/account/") or visitor.is_logged_in()

    again = Visitor()
    assert go_through(again, provider).headers["Location"] == "/"
    assert again.is_logged_in()
    assert SocialAccount.objects.filter(user=user).count() == 1


def test_what_is_asked_of_the_provider(provider: Provider) -> None:
    """The exact redirect address, a state, and a challenge (RFC 7636) that is no other's."""
    asked = [query(leave(Visitor())) for _ in range(2)]
    for one in asked:
        assert one["redirect_uri"] == f"http://testserver{CALLBACK}"
        assert (one["response_type"], one["code_challenge_method"]) == ("code", "S256")
        assert len(one["state"]) >= 16
        assert set(one["scope"].split()) == {"openid", "profile", "email"}
    assert asked[0]["state"] != asked[1]["state"]
    assert asked[0]["code_challenge"] != asked[1]["code_challenge"]
    with pytest.raises(requests.HTTPError):
        provider.visit(leave(Visitor()).replace("callback", "elsewhere"))


def test_nothing_of_it_shows_where_none_is_set(settings: LazySettings) -> None:
    assert settings.SOCIALACCOUNT_PROVIDERS == {}
    assert "Go on with" not in Visitor().shown("/accounts/login/")
    assert Visitor().post(LOGIN).status_code == 404


def test_closed_registration_is_closed_here_too(provider: Provider, settings: LazySettings) -> None:
    settings.REGISTRATION_OPEN = False
    assert "Sign-up is closed" in text(go_through(Visitor(), provider))
    assert not User.objects.filter(username=provider.person["preferred_username"]).exists()


def test_a_taken_user_name_becomes_another(provider: Provider, alice: User) -> None:
    provider.person = person(preferred_username=alice.username.upper())
    visitor = Visitor()
    go_through(visitor, provider)
    user = SocialAccount.objects.get(uid=provider.person["sub"]).user
    assert user != alice
    assert user.username.lower() != alice.username.lower()


def test_a_ban_holds(provider: Provider) -> None:
    go_through(Visitor(), provider)
    User.objects.filter(username=provider.person["preferred_username"]).update(is_active=False)
    visitor = Visitor()
    assert go_through(visitor, provider).headers["Location"] == "/accounts/inactive/"
    assert not visitor.is_logged_in()


# --- Linking ----------------------------------------------------------------------------------------------


def test_an_account_is_connected_and_disconnected(provider: Provider, alice: User) -> None:
    browser = logged_in(alice)
    assert go_through(browser, provider, "connect").headers["Location"] == "/accounts/3rdparty/"
    account = SocialAccount.objects.get(uid=provider.person["sub"])
    assert account.user == alice
    assert "Acme" in browser.shown("/account/")

    visitor = Visitor()
    go_through(visitor, provider)
    assert alice.username in visitor.shown("/account/")

    browser.post("/accounts/3rdparty/", {"account": account.id})
    assert not SocialAccount.objects.filter(user=alice).exists()


def test_one_person_at_the_provider_is_one_here(provider: Provider, alice: User, mallory: User) -> None:
    go_through(logged_in(alice), provider, "connect")
    go_through(logged_in(mallory), provider, "connect")
    assert SocialAccount.objects.get(uid=provider.person["sub"]).user == alice


def test_an_address_alone_opens_no_account(provider: Provider, alice: User) -> None:
    """Whoever has Alice's address at a provider is not Alice until she says so."""
    email = address()
    users.update_profile(user=alice, changes={"email": email})
    EmailAddress.objects.create(user=alice, email=email, verified=True, primary=True)
    provider.person = person(email=email)
    visitor = Visitor()
    go_through(visitor, provider)
    assert not visitor.is_logged_in()
    assert not SocialAccount.objects.filter(user=alice).exists()


def test_the_only_way_in_cannot_be_cut(provider: Provider) -> None:
    visitor = Visitor()
    go_through(visitor, provider)
    account = SocialAccount.objects.get(uid=provider.person["sub"])
    EmailAddress.objects.filter(user=account.user).update(verified=False)
    visitor.post("/accounts/3rdparty/", {"account": account.id})
    assert SocialAccount.objects.filter(id=account.id).exists()


# --- Forgeries --------------------------------------------------------------------------------------------


def changed(address: str, **changes: str | None) -> str:
    """An address whose query is another."""
    parts = urlsplit(address)
    asked = {**dict(parse_qsl(parts.query)), **changes}
    return parts._replace(query=urlencode({name: value for name, value in asked.items() if value is not None})).geturl()


@pytest.mark.parametrize("state", ["forged", "", None])
def test_a_forged_state(provider: Provider, state: str | None) -> None:
    visitor = Visitor()
    back = provider.visit(leave(visitor))
    assert failed(come_back(visitor, changed(back, state=state)))
    assert not visitor.is_logged_in()


def test_the_state_of_another_browser(provider: Provider) -> None:
    """Mallory has the victim's browser finish what hers began."""
    back = provider.visit(leave(Visitor()))
    victim = Visitor()
    leave(victim)
    assert failed(come_back(victim, back))
    assert not victim.is_logged_in()


def test_a_state_is_used_once(provider: Provider) -> None:
    visitor = Visitor()
    back = provider.visit(leave(visitor))
    assert come_back(visitor, back).status_code == 302
    visitor.post("/accounts/logout/")
    assert failed(come_back(visitor, back))


def test_a_replayed_code(provider: Provider) -> None:
    visitor = Visitor()
    first = provider.visit(leave(visitor))
    assert come_back(visitor, first).status_code == 302

    other = Visitor()
    second = provider.visit(leave(other))
    assert failed(come_back(other, changed(second, code=query(first)["code"])))
    assert not other.is_logged_in()


def test_a_stolen_code_is_of_no_use_in_another_browser(provider: Provider) -> None:
    """The code was never used, but its challenge is that of another browser."""
    stolen = query(provider.visit(leave(Visitor())))["code"]
    thief = Visitor()
    back = provider.visit(leave(thief))
    assert failed(come_back(thief, changed(back, code=stolen)))
    assert not thief.is_logged_in()


def test_without_the_verifier_a_code_is_refused(provider: Provider) -> None:
    visitor = Visitor()
    back = provider.visit(leave(visitor))
    session = visitor.session
    for state, *_ in session["socialaccount_states"].values():
        assert state.pop("pkce_code_verifier")
    session.save()
    assert failed(come_back(visitor, back))
    assert not visitor.is_logged_in()


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-client"},
        {"exp": 1},
        {"sub": "somebody else"},
    ],
    ids=["issuer", "audience", "expired", "other-person"],
)
def test_an_id_token_that_is_not_for_us(provider: Provider, lie: Claims) -> None:
    provider.lie = lambda claims: {**claims, **lie}
    visitor = Visitor()
    assert failed(go_through(visitor, provider))
    assert not visitor.is_logged_in()
    assert not SocialAccount.objects.filter(uid__in=[provider.person["sub"], "somebody else"]).exists()


def test_a_signed_token_comes_once(provider: Provider) -> None:
    provider.lie = lambda claims: {**claims, "jti": provider.person["sub"]}
    assert go_through(Visitor(), provider).status_code == 302
    assert failed(go_through(Visitor(), provider))


def test_a_refusal_of_the_provider_is_said(provider: Provider) -> None:
    visitor = Visitor()
    state = query(leave(visitor))["state"]
    answer = visitor.get(CALLBACK, {"state": state, "error": "access_denied"}, follow=True)
    assert "Cancelled" in text(answer)


def test_a_provider_that_is_away(provider: Provider, settings: LazySettings) -> None:
    client = {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "settings": {"server_url": "http://127.0.0.1:1"}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": with_pkce(provider_id="oidc", name="Acme", **client)}
    assert failed(Visitor().post(LOGIN))


def test_the_api_knows_no_password_of_who_came_through_a_provider(provider: Provider) -> None:
    go_through(Visitor(), provider)
    user = User.objects.get(username=provider.person["preferred_username"])
    answer = Api(None).post("auth/token/", {"username": user.username, "password": "!"})
    assert answer.code == "unauthenticated"
    assert tokens.issue(user)["access"]
