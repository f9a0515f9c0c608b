"""Python plugins: trusted ones in the worker, others in a process of their own, whatever they do there."""

import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.models import File, Run
from conversations.services import answering, connectors
from tests.api import Api
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.conversations.connectors.conftest import Connect
from tests.conversations.support import frames

HERE = "tests.conversations.connectors.plugins"


@pytest.fixture(autouse=True)
def allowed() -> Iterator[None]:
    with override_settings(CONNECTOR_MODULES=[HERE]):
        yield


def config(name: str, **more: Any) -> dict[str, Any]:
    return {"path": f"{HERE}.{name}", "untrusted": True, **more}


async def run_of(alice: User, connect: Connect, given: dict[str, Any], text: str = "you") -> dict[str, Any]:
    row = await in_thread(connect, "python", given)
    return await ending(await answered(alice, text, await in_thread(conversation_with, alice, row.name)))


@pytest.mark.parametrize("untrusted", [True, False])
async def test_a_good_one_answers_here_and_there_alike(alice: User, connect: Connect, *, untrusted: bool) -> None:
    row = await in_thread(connect, "python", {**config("Good"), "untrusted": untrusted, "options": {"word": "Hi"}})
    run = await answered(alice, "you", await in_thread(conversation_with, alice, row.name))
    end = await ending(run)
    assert (end["status"], end["text"]) == ("completed", "Hi, you")
    assert {"input_tokens": 1, "output_tokens": 2}.items() <= end["usage"].items()
    steps = [event["data"] for event in await in_thread(frames, run.conversation_id) if event["type"] == "run:step"]
    assert [(step["name"], step["status"]) for step in steps] == [("think", "running"), ("think", "completed")]


async def test_it_asks_a_person_from_its_process(alice: User, connect: Connect) -> None:
    row = await in_thread(connect, "python", config("Asks"))
    conversation = await in_thread(conversation_with, alice, row.name)
    run = await in_thread(ask, alice, conversation, "Go")
    await runner.take_turn(conversation)
    [asked] = [event["data"] for event in await in_thread(frames, conversation) if event["type"] == "run:ask"]
    waiting = await Run.objects.aget(id=run.id)
    await in_thread(answering.answer(user=alice, run=waiting, step=asked["step"], value="small").result, 10)
    await runner.take_turn(conversation)
    end = await ending(await Run.objects.aget(id=run.id))
    assert (end["text"], len(end["parts"])) == ("It is small.", 1)
    assert await File.objects.filter(conversation=conversation).acount() == 1


@pytest.mark.parametrize(
    ("plugin", "code", "text"),
    [
        ("Says", "too_tired", ""),
        ("Raises", "plugin_failed", "Half "),
        ("Exits", "plugin_failed", "Half "),
        ("Garbage", "plugin_failed", ""),
        ("Forks", "plugin_failed", ""),
        ("Starts", "plugin_failed", ""),
        ("Missing", "plugin_failed", ""),
    ],
)
async def test_one_that_fails_fails_alone(alice: User, connect: Connect, plugin: str, code: str, text: str) -> None:
    end = await run_of(alice, connect, config(plugin))
    assert (end["status"], end["error"]["code"], end["text"]) == ("failed", code, text)
    assert "secret" not in str(end)


@pytest.mark.parametrize(
    ("plugin", "process", "code"),
    [
        ("Spins", {"cpu_seconds": 1}, "plugin_failed"),
        ("Grows", {"memory_mb": 256}, "plugin_failed"),
        ("Writes", {"file_mb": 1}, "plugin_failed"),
        ("Floods", {}, "too_large"),
    ],
)
async def test_one_that_takes_too_much_is_ended(
    alice: User, connect: Connect, plugin: str, process: dict[str, int], code: str
) -> None:
    begun = time.monotonic()
    end = await run_of(alice, connect, config(plugin, process=process))
    assert (end["status"], end["error"]["code"]) == ("failed", code)
    assert time.monotonic() - begun < 20
    assert _plugins() == []


async def test_one_that_hangs_is_killed_in_time(alice: User, connect: Connect) -> None:
    end = await run_of(alice, connect, config("Hangs", limits={"stall_seconds": 0.5, "first_token_seconds": 10}))
    assert (end["error"]["code"], end["text"]) == ("assistant_timeout", "Half ")
    assert _plugins() == []


async def test_what_it_started_ends_with_it(alice: User, connect: Connect) -> None:
    end = await run_of(alice, connect, config("Breeds", process={"processes": 1000}))
    assert end["text"]
    assert not psutil.pid_exists(int(end["text"])) or psutil.Process(int(end["text"])).status() == "zombie"


async def test_it_has_nothing_of_our_environment(alice: User, connect: Connect) -> None:
    names = set((await run_of(alice, connect, config("Looks")))["text"].split(","))
    assert names <= {
        "PATH",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "HOME",
        "TMPDIR",
        "PYTHONDONTWRITEBYTECODE",
        "PLUGIN_PROCESS",
    }


def test_only_modules_that_the_operator_allows(as_builder: Api) -> None:
    body = {"name": "system", "kind": "python", "config": {"path": "os.system"}}
    refused = as_builder.post("connectors/", body)
    assert (refused.code, list(refused.json["errors"])) == ("invalid", ["config"])


@pytest.mark.parametrize(("plugin", "health"), [("Good", "ok"), ("Missing", "failing")])
def test_a_test_makes_it(builder: User, connect: Connect, plugin: str, health: str) -> None:
    assert connectors.check(staff=builder, connector=connect("python", config(plugin))).health == health


def _plugins() -> list[psutil.Process]:
    """Processes of plugins that this one started."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "child.py" in " ".join(child.cmdline()) and child.status() != "zombie"]
