"""The admin's page of a connector: a form that never shows a secret, and a button that tests."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.connectors import directory
from conversations.models import Connector
from tests.conversations.admin.conftest import browser, new_staff
from tests.conversations.connectors.conftest import Connect
from tests.provider import Provider

ADD = "/admin/conversations/connector/add/"
KEY = "sk-a-very-secret-key"


@pytest.fixture
def provider() -> Any:
    with Provider() as found:
        yield found


@pytest.fixture
def desk(builder: User) -> Client:
    return browser(builder)


def form(provider: Provider, **more: str) -> dict[str, str]:
    config = f'{{"base_url": "{provider.url}", "model": "scripted"}}'
    return {"name": f"m-{new_id().hex[-10:]}", "kind": "openai", "config": config, "enabled": "on", **more}


def test_a_connector_is_made_changed_tested_and_deleted(desk: Client, provider: Provider) -> None:
    given = form(provider)
    assert desk.post(ADD, {**given, "secret_api_key": KEY}).status_code == 302
    row = Connector.objects.get(name=given["name"])
    assert directory.setup(row).secret("api_key") == KEY
    place = f"/admin/conversations/connector/{row.id}/"
    shown = desk.get(f"{place}change/").content.decode()
    assert KEY not in shown
    assert "Stored secrets: Key" in " ".join(shown.split())
    assert desk.post(f"{place}test/").status_code == 302
    row.refresh_from_db()
    assert (row.health, row.health_detail) == ("ok", "1 models; scripted is among them.")
    assert row.health_detail in desk.get(f"{place}change/").content.decode()
    assert desk.post(f"{place}change/", {**given, "description": "Ours"}).status_code == 302
    row.refresh_from_db()
    assert (row.version, row.description, directory.setup(row).secret("api_key")) == (2, "Ours", KEY)
    assert desk.post(f"{place}change/", {**given, "forget": "on"}).status_code == 302
    row.refresh_from_db()
    assert directory.setup(row).secret("api_key") == ""
    assert desk.post(f"{place}delete/", {"post": "yes"}).status_code == 302
    assert not Connector.objects.filter(id=row.id).exists()


def test_what_the_api_refuses_is_refused_at_its_field(desk: Client, provider: Provider) -> None:
    page = desk.post(ADD, form(provider, config='{"model": "m"}', secret_client_secret="x"))
    assert page.status_code == 200
    assert "config" in page.context["adminform"].form.errors
    assert desk.post(ADD, form(provider, config="{")).status_code == 200


def test_a_circle_is_refused_at_its_field(desk: Client) -> None:
    name = f"loop-{new_id().hex[-10:]}"
    page = desk.post(ADD, {"name": name, "kind": "router", "config": f'{{"default": "{name}"}}', "enabled": "on"})
    assert page.status_code == 200
    assert "ask each other" in str(page.context["adminform"].form.errors["config"])


def test_who_may_look_sees_no_button_and_no_fields_for_secrets(connect: Connect, provider: Provider) -> None:
    row = connect("openai", {"base_url": provider.url, "model": "scripted"}, secrets={"api_key": KEY})
    clerk = browser(new_staff("Clerk", "view_connector"))
    shown = clerk.get(f"/admin/conversations/connector/{row.id}/change/").content.decode()
    assert row.name in shown
    assert KEY not in shown
    assert "secret_api_key" not in shown
    assert "/test/" not in shown
    assert clerk.post(f"/admin/conversations/connector/{row.id}/test/").status_code == 403
    assert clerk.get("/admin/conversations/connector/").status_code == 200
