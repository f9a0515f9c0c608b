"""HTTP plugins by their OpenAPI documents, against a real one: operations, answers, credentials, failures."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.connectors.openapi import document
from conversations.services import connectors, runs
from tests import oauth
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.conversations.assistants.test_turns import stored, until
from tests.conversations.connectors.conftest import Connect
from tests.oauth import CLIENT_SECRET, Server
from tests.plugin import Plugin


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    with Plugin() as found:
        yield found


async def said(alice: User, connect: Connect, config: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """How a connector answers a question."""
    row = await in_thread(lambda: connect("http", config, **more))
    return await ending(await answered(alice, text, await in_thread(conversation_with, alice, row.name)))


async def test_json_in_json_out(alice: User, connect: Connect, plugin: Plugin) -> None:
    config = {"openapi_url": plugin.document, "operation": "chat", "fixed": {"mode": "short"}}
    end = await said(alice, connect, config, "Hello")
    assert (end["status"], end["text"]) == ("completed", "You said: Hello")
    [body] = plugin.asked
    assert (body["message"], body["mode"]) == ("Hello", "short")
    assert body["history"] == [{"role": "user", "content": "Hello"}]
    assert body["session_id"]


async def test_a_stream_of_events(alice: User, connect: Connect, plugin: Plugin) -> None:
    config = {"openapi_url": plugin.document, "operation": "POST /v1/stream"}
    assert (await said(alice, connect, config, "Hello"))["text"] == "word0 word1 word2 "


def test_schemas_that_hold_each_other() -> None:
    """Written out, these are more than there are atoms; and one holds itself."""
    schemas = {f"s{n}": {"properties": {one: {"$ref": f"#/s/s{n + 1}"} for one in "abcdefgh"}} for n in range(60)}
    schemas["s60"] = {"properties": {"again": {"$ref": "#/s/s0"}, "message": {"type": "string"}}}
    found = document.resolved({"s": schemas}, {"$ref": "#/s/s0"})
    for _ in range(60):
        found = found["properties"]["h"]
    assert found == {"properties": {"again": {}, "message": {"type": "string"}}}


async def test_parameters_of_path_and_query(alice: User, connect: Connect, plugin: Plugin) -> None:
    config = {"openapi_url": plugin.document, "operation": "search", "fixed": {"lang": "de"}}
    assert (await said(alice, connect, config, "Grüße & more"))["text"] == "de: Grüße & more"


async def test_a_way_to_the_answer_and_a_map_of_the_question(alice: User, connect: Connect, plugin: Plugin) -> None:
    config = {"openapi_url": plugin.document, "operation": "chat", "map": {"mode": "conversation"}}
    end = await said(alice, connect, {**config, "answer": "nowhere"}, "Hello")
    assert (end["status"], end["error"]["code"]) == ("failed", "connector_answer")
    assert plugin.asked[0]["mode"] == plugin.asked[0].get("session_id", plugin.asked[0]["mode"])


@pytest.mark.parametrize(
    ("text", "code"),
    [("refuse 400", "connector_rejected"), ("refuse 503", "connector_error"), ("refuse 403", "connector_refused")],
)
async def test_failures_are_named_and_say_nothing_of_the_plugin(
    alice: User, connect: Connect, plugin: Plugin, text: str, code: str
) -> None:
    end = await said(alice, connect, {"openapi_url": plugin.document, "operation": "chat"}, text)
    assert (end["status"], end["error"]["code"]) == ("failed", code)
    assert "secret" not in str(end)
    assert plugin.times[text] == (3 if code == "connector_error" else 1)


async def test_a_429_is_waited_for(alice: User, connect: Connect, plugin: Plugin) -> None:
    begun = time.monotonic()
    end = await said(alice, connect, {"openapi_url": plugin.document, "operation": "chat"}, "busy 1 1")
    assert end["text"] == "You said: busy 1 1"
    assert time.monotonic() - begun >= 1


async def test_what_was_streamed_before_it_broke_is_kept(alice: User, connect: Connect, plugin: Plugin) -> None:
    end = await said(alice, connect, {"openapi_url": plugin.document, "operation": "stream"}, "break")
    assert (end["status"], end["text"], end["error"]["code"]) == ("failed", "word0 word1 word2 ", "connector_answer")
    assert len(plugin.asked) == 1


@pytest.mark.usefixtures("watching")
async def test_stop_closes_the_connection(alice: User, connect: Connect, plugin: Plugin) -> None:
    row = await in_thread(connect, "http", {"openapi_url": plugin.document, "operation": "stream"})
    conversation = await in_thread(conversation_with, alice, row.name)
    run = await in_thread(ask, alice, conversation, "slow 500 20")
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: stored(run))
    await in_thread(runs.stop(user=alice, run=run).result, 10)
    assert await asyncio.to_thread(plugin.closed.wait, 1.5)
    await turn
    assert (await ending(run))["status"] == "stopped"


def test_a_test_reads_the_document(builder: User, connect: Connect, plugin: Plugin) -> None:
    found = connectors.check(
        staff=builder, connector=connect("http", {"openapi_url": plugin.document, "operation": "chat"})
    )
    assert (found.health, found.health_detail) == ("ok", f"POST {plugin.url}/v1/chat")
    many = connectors.check(staff=builder, connector=connect("http", {"openapi_url": plugin.document}))
    assert (many.health, many.health_detail.split(":")[0]) == ("failing", "connector_document")


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        ({"type": "bearer"}, {"Authorization": "Bearer token-of-the-plugin"}, {}),
        ({"type": "api_key", "name": "X-Api-Key"}, {"X-Api-Key": "token-of-the-plugin"}, {}),
        ({"type": "api_key", "name": "key", "in": "query"}, {}, {"key": "token-of-the-plugin"}),
    ],
)
async def test_credentials_of_the_connector(
    alice: User, connect: Connect, auth: dict[str, str], headers: dict[str, str], query: dict[str, str]
) -> None:
    def allowed(sent: Any, asked: Any) -> bool:
        return headers.items() <= dict(sent).items() and query.items() <= dict(asked).items()

    with Plugin(allowed) as plugin:
        config = {"openapi_url": plugin.document, "operation": "chat", "auth": auth}
        end = await said(alice, connect, config, "Hello", secrets={"token": "token-of-the-plugin"})
        assert end["text"] == "You said: Hello"
        end = await said(alice, connect, config, "Hello", secrets={"token": "another"})
        assert end["error"]["code"] == "connector_refused"


async def test_client_credentials(alice: User, connect: Connect) -> None:
    def allowed(headers: Any, _: Any) -> bool:
        return server.holder(headers.get("Authorization", "")) == oauth.CLIENT_ID

    with Server("https://unused.example/") as server, Plugin(allowed) as plugin:
        config = {"openapi_url": plugin.document, "operation": "chat", "auth": server.auth("client_credentials")}
        row = await in_thread(lambda: connect("http", config, secrets={"client_secret": CLIENT_SECRET}))
        conversation = await in_thread(conversation_with, alice, row.name)
        for _ in range(2):
            assert (await ending(await answered(alice, "Hi", conversation)))["text"] == "You said: Hi"
        assert len(server.tokens) == 1, "a token is used while it lives"
