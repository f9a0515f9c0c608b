"""A user's own authorisation: allowed on a page by OAuth with PKCE, used for this user alone, renewed, and revoked."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import AuditEntry, User
from chatproject.lib.threads import in_thread
from conversations.models import Authorisation, Connector
from conversations.services import leaving
from tests import oauth
from tests.conversations.admin.conftest import browser
from tests.conversations.assistants.support import answered, conversation_with, ending
from tests.conversations.connectors.conftest import Connect
from tests.oauth import CLIENT_SECRET, Server
from tests.plugin import Plugin

BACK = "http://testserver/connections/callback/"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(BACK) as found:
        yield found


@pytest.fixture
def plugin(server: Server) -> Iterator[Plugin]:
    """Answers whoever the server knows."""
    with Plugin(lambda headers, _: server.holder(headers.get("Authorization", "")) is not None) as found:
        yield found


@pytest.fixture
def calendar(connect: Connect, server: Server, plugin: Plugin) -> Connector:
    config = {"openapi_url": plugin.document, "operation": "chat", "auth": server.auth("user")}
    return connect("http", config, secrets={"client_secret": CLIENT_SECRET})


def leave(client: Client, calendar: Connector) -> str:
    """Press Connect: the address of the provider that the page leads to."""
    page = client.post(f"/connections/{calendar.name}/connect/")
    assert page.status_code == 200
    return str(page.context["address"])


def allow(user: User, calendar: Connector, server: Server) -> Any:
    """All of it: there, yes, and back."""
    client = browser(user)
    return client.get(server.visit(leave(client, calendar)))


async def said(user: User, calendar: Connector) -> dict[str, Any]:
    return await ending(await answered(user, "Hi", await in_thread(conversation_with, user, calendar.name)))


async def test_it_is_used_for_who_allowed_it_alone(
    alice: User, bob: User, calendar: Connector, server: Server, plugin: Plugin
) -> None:
    assert (await said(alice, calendar))["error"]["code"] == "connector_not_authorised"
    back = await in_thread(allow, alice, calendar, server)
    assert (back.status_code, back.headers["Location"]) == (302, "/connections/")
    assert (await said(alice, calendar))["text"] == "You said: Hi"
    assert (await said(bob, calendar))["error"]["code"] == "connector_not_authorised"
    assert len(plugin.asked) == 1


def test_what_is_asked_of_the_provider(alice: User, calendar: Connector, server: Server) -> None:
    asked = oauth.query(leave(browser(alice), calendar))
    assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == ("code", oauth.CLIENT_ID, BACK)
    assert (asked["code_challenge_method"], len(asked["code_challenge"]), len(asked["state"])) == ("S256", 43, 43)


def test_tokens_are_sealed(alice: User, calendar: Connector, server: Server) -> None:
    allow(alice, calendar, server)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(a)::text FROM conversations_authorisation a WHERE user_id = %s", [alice.id])
        [stored] = cursor.fetchone()
    assert "access-0" not in stored
    assert "refresh-0" not in stored
    assert CLIENT_SECRET not in stored


@pytest.mark.parametrize("change", [lambda state: "another", lambda state: "", lambda state: state[:-1]])
def test_a_state_that_is_not_ours_is_refused(alice: User, calendar: Connector, server: Server, change: Any) -> None:
    client = browser(alice)
    back = oauth.query(server.visit(leave(client, calendar)))
    assert client.get(BACK, {"code": back["code"], "state": change(back["state"])}).status_code == 400
    again = client.get(BACK, {"code": back["code"], "state": back["state"]})
    assert again.status_code == 400, "the state was used up by the first try"
    assert not Authorisation.objects.filter(user=alice).exists()


def test_a_state_is_bound_to_a_session_and_good_once(
    alice: User, mallory: User, calendar: Connector, server: Server
) -> None:
    client = browser(alice)
    back = server.visit(leave(client, calendar))
    assert browser(mallory).get(back).status_code == 400
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 400


def test_who_says_no_there_is_not_connected(alice: User, calendar: Connector, server: Server) -> None:
    client = browser(alice)
    state = oauth.query(leave(client, calendar))["state"]
    assert client.get(BACK, {"error": "access_denied", "state": state}).status_code == 400
    assert not Authorisation.objects.filter(user=alice).exists()


async def test_a_token_that_is_over_is_renewed_once(
    alice: User, calendar: Connector, server: Server, plugin: Plugin
) -> None:
    server.seconds = 10  # less than how early tokens are renewed
    await in_thread(allow, alice, calendar, server)
    server.seconds = 3600
    for _ in range(2):
        assert (await said(alice, calendar))["text"] == "You said: Hi"
    assert [token.access for token in server.tokens] == ["access-0", "access-1"]
    assert server.tokens[0].revoked


async def test_one_that_the_provider_renews_no_more(alice: User, calendar: Connector, server: Server) -> None:
    server.seconds = 10
    await in_thread(allow, alice, calendar, server)
    server.tokens[0].revoked = True
    assert (await said(alice, calendar))["error"]["code"] == "connector_not_authorised"


def test_disconnect_revokes_there_and_forgets_here(alice: User, bob: User, calendar: Connector, server: Server) -> None:
    client = browser(alice)
    allow(alice, calendar, server)
    row = Authorisation.objects.get(user=alice)
    assert browser(bob).post(f"/connections/{row.id}/disconnect/").status_code == 404
    assert client.post(f"/connections/{row.id}/disconnect/").status_code == 302
    assert server.tokens[0].revoked
    assert not Authorisation.objects.filter(user=alice).exists()
    acts = AuditEntry.objects.filter(actor=alice, target_id=str(calendar.id)).order_by("id")
    assert list(acts.values_list("action", flat=True)) == ["connector.authorised", "connector.withdrawn"]


def test_who_closes_their_account_leaves_nothing_there(alice: User, calendar: Connector, server: Server) -> None:
    allow(alice, calendar, server)
    leaving.leave_all(user=str(alice.id))
    assert server.tokens[0].revoked
    assert not Authorisation.objects.filter(user=alice).exists()


def test_the_page_says_what_is_connected(alice: User, calendar: Connector, server: Server) -> None:
    client = browser(alice)
    assert f"Connect {calendar.name}" in client.get("/connections/").content.decode()
    allow(alice, calendar, server)
    assert f"Disconnect {calendar.name}" in client.get("/connections/").content.decode()
