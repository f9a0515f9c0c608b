"""Looking after one's account: in at the page of a provider, with a passkey, and round the settings."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from chatproject.lib.ids import new_id
from tests.browser.people import PASSWORD, Person, register
from tests.openid import Provider

pytestmark = pytest.mark.browser
# An authenticator that is always touched, and knows who touches it (WebAuthn Automation).
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def plug_in(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def log_in(page: Page, user: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username or e-mail").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("link", name=user)).to_be_visible()


def test_in_through_a_provider(visitor: Callable[..., Page], acme: Provider) -> None:
    name = f"carol-{new_id().hex[-10:]}"
    acme.person = {"sub": name, "preferred_username": name, "name": "Carol Smith"}
    page = visitor()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Go on with Acme").click()
    expect(page.get_by_role("link", name="Carol Smith")).to_be_visible()


def test_a_passkey_is_all_it_takes(visitor: Callable[..., Page], site: str) -> None:
    """At `localhost`: a passkey belongs to a host name, and an address is none."""
    user = f"alice-{new_id().hex[-10:]}"
    register(site, user)
    page = visitor(site.replace("127.0.0.1", "localhost"))
    plug_in(page)
    log_in(page, user)
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page).to_have_url(re.compile("recovery-codes"))

    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("link", name=user)).to_be_visible()


def test_a_passkey_that_is_not_known_is_said(visitor: Callable[..., Page], site: str) -> None:
    page = visitor(site.replace("127.0.0.1", "localhost"))
    plug_in(page)
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")


def test_round_the_settings_by_keyboard(alice: Person) -> None:
    page = alice.page
    page.get_by_role("link", name=alice.user).press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_label("Name that others see").fill("Alice Liddell")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Saved.")
    for link, heading in (("E-mail", "E-mail"), ("Password", "Change Password"), ("Two-factor", "Two-Factor")):
        page.get_by_role("navigation", name="Your account").get_by_role("link", name=link).press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    page.get_by_role("link", name="Back to the conversations").press("Enter")
    expect(page.get_by_role("link", name="Alice Liddell")).to_be_visible()


def test_without_javascript_passkeys_are_not_offered(visitor: Callable[..., Page]) -> None:
    page = visitor(java_script_enabled=False)
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()
