"""Connectors in the admin, and the page on which people allow them something."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from chatproject.lib.ids import new_id
from tests.browser.people import Person, ask
from tests.oauth import CLIENT_SECRET
from tests.oauth import Server as OAuth
from tests.plugin import Plugin
from tests.provider import Provider
from tests.serving import Serve

pytestmark = pytest.mark.browser


def look(page: Page, name: str) -> None:
    """A picture for who wants to see the page: in the folder SCREENSHOTS, where that is set."""
    if "SCREENSHOTS" in os.environ:
        page.screenshot(path=str(Path(os.environ["SCREENSHOTS"]) / f"{name}.png"), full_page=True)


@pytest.fixture
def desk(visitor: Callable[..., Page], product: Serve) -> Page:
    """The admin, logged in."""
    page = visitor()
    page.goto("/admin/")
    page.get_by_label("Username or e-mail").fill("admin")
    page.get_by_label("Password").fill(product.wait_for("Admin user: admin, password: ").split()[0])
    page.get_by_label("Password").press("Enter")
    page.wait_for_url("**/admin/")
    return page


@pytest.fixture
def oauth(site: str) -> Iterator[OAuth]:
    with OAuth(f"{site}connections/callback/") as server:
        yield server


def test_staff_connect_a_model_and_test_it(desk: Page) -> None:
    name = f"model-{new_id().hex[-8:]}"
    with Provider() as provider:
        desk.goto("/admin/conversations/connector/add/")
        desk.get_by_label("Name").fill(name)
        desk.get_by_label("Configuration").fill(f'{{"base_url": "{provider.url}", "model": "scripted"}}')
        desk.get_by_label("Key", exact=True).fill("sk-secret")
        look(desk, "connector-add")
        desk.get_by_role("button", name="Save and continue editing").click()
        expect(desk.get_by_text("Not tested since its last change.")).to_be_visible()
        expect(desk.get_by_label("Key", exact=True)).to_have_value("")
        desk.get_by_role("button", name="Test").click()
        expect(desk.get_by_text("1 models; scripted is among them.").first).to_be_visible()
        look(desk, "connector-change")
    desk.goto("/admin/conversations/connector/")
    expect(desk.get_by_role("row").filter(has_text=name)).to_contain_text("works")
    look(desk, "connector-list")


def test_a_person_connects_and_disconnects(alice: Person, site: str, admin_token: str, oauth: OAuth) -> None:
    """To the provider, back, asked in their name, and withdrawn."""
    with Plugin(lambda headers, _: oauth.holder(headers.get("Authorization", "")) == "ada") as plugin:
        name = f"calendar-{new_id().hex[-8:]}"
        config = {"openapi_url": plugin.document, "operation": "chat", "auth": oauth.auth("user")}
        given = {"name": name, "kind": "http", "description": "Reads your calendar", "config": config}
        ask(site, "connectors/", {**given, "secrets": {"client_secret": CLIENT_SECRET}}, admin_token)
        alice.page.goto("/connections/")
        look(alice.page, "connections-before")
        alice.page.get_by_role("button", name=f"Connect {name}").click()
        expect(alice.page.get_by_role("button", name=f"Disconnect {name}")).to_be_visible()
        look(alice.page, "connections-after")
        alice.page.get_by_role("button", name=f"Disconnect {name}").click()
        expect(alice.page.get_by_role("button", name=f"Connect {name}")).to_be_visible()
        assert oauth.tokens[0].revoked
