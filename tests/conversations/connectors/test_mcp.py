"""Real MCP servers by the official SDK: over streamable HTTP and over standard streams; their tools, for models."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.models import Run
from conversations.services import answering, connectors
from tests.api import Api
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.conversations.connectors.conftest import Connect
from tests.conversations.support import frames
from tests.faults.cluster import free_port
from tests.provider import Provider

SERVER = str(Path(settings.BASE_DIR) / "tests" / "mcpserver.py")
STDIO = {"command": [sys.executable, SERVER, "stdio"]}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server in a process of its own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, SERVER, "http", str(port)], stderr=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing", timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the MCP server does not answer")


@pytest.fixture(autouse=True)
def allowed() -> Iterator[None]:
    with override_settings(CONNECTOR_COMMANDS=[sys.executable]):
        yield


@pytest.fixture(params=["http", "stdio"])
def server(request: pytest.FixtureRequest, url: str) -> dict[str, Any]:
    """How each is reached."""
    return {"url": url} if request.param == "http" else STDIO


def test_a_test_lists_its_tools(builder: User, connect: Connect, server: dict[str, Any]) -> None:
    found = connectors.check(staff=builder, connector=connect("mcp", server))
    assert (found.health, found.health_detail) == ("ok", "5 tools: add, shout, erase, fail, environment")


async def test_as_an_assistant_it_calls_one_tool_with_the_question(
    alice: User, connect: Connect, server: dict[str, Any]
) -> None:
    row = await in_thread(connect, "mcp", {**server, "tool": "shout"})
    run = await answered(alice, "hello", await in_thread(conversation_with, alice, row.name))
    assert (await ending(run))["text"] == "HELLO"
    steps = [event["data"] for event in await in_thread(frames, run.conversation_id) if event["type"] == "run:step"]
    assert [(step["kind"], step["name"], step["status"]) for step in steps] == [
        ("tool", "shout", "running"),
        ("tool", "shout", "completed"),
    ]
    assert steps[0]["input"] == {"text": "hello"}


async def test_a_model_calls_its_tools(alice: User, connect: Connect, server: dict[str, Any]) -> None:
    """One that only reads is called at once, one that does something when a person says so."""
    with Provider() as provider:
        tools = await in_thread(connect, "mcp", server)
        config = {"base_url": provider.url, "model": "m", "tools": [f"{tools.name}/*"]}
        model = await in_thread(connect, "openai", config)
        conversation = await in_thread(conversation_with, alice, model.name)
        run = await answered(alice, 'tool add {"a": 2, "b": 3}; fail {"text": "fly"}', conversation)
        text = (await ending(run))["text"]
        assert "5" in text
        assert "tool_failed" in text
        run = await in_thread(ask, alice, conversation, 'tool erase {"name": "all"}')
        await runner.take_turn(conversation)
        [asked] = [event["data"] for event in await in_thread(frames, conversation) if event["type"] == "run:ask"]
        waiting = await Run.objects.aget(id=run.id)
        await in_thread(answering.answer(user=alice, run=waiting, step=asked["step"], value=True).result, 10)
        await runner.take_turn(conversation)
        assert "erased all" in (await ending(await Run.objects.aget(id=run.id)))["text"]


async def test_a_command_has_nothing_of_our_environment(alice: User, connect: Connect) -> None:
    row = await in_thread(connect, "mcp", {**STDIO, "tool": "environment"})
    end = await ending(await answered(alice, "?", await in_thread(conversation_with, alice, row.name)))
    assert not {"DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEYS", "SECRET_KEY"} & set(end["text"].split(","))


def test_only_commands_that_the_operator_allows(as_builder: Api) -> None:
    body = {"name": "shell", "kind": "mcp", "config": {"command": ["sh", "-c", "true"]}}
    refused = as_builder.post("connectors/", body)
    assert (refused.code, list(refused.json["errors"])) == ("invalid", ["config"])


async def test_a_server_that_is_not_there(alice: User, connect: Connect) -> None:
    row = await in_thread(connect, "mcp", {"url": "http://127.0.0.1:9/mcp", "tool": "add"})
    end = await ending(await answered(alice, "?", await in_thread(conversation_with, alice, row.name)))
    assert (end["status"], end["error"]["code"]) == ("failed", "connector_unreachable")
