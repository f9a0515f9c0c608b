"""Definitions of assistants: where they come from, versions, and building them once."""

import asyncio
import threading
from typing import Any

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import building, calling, registry
from conversations.assistants.base import AssistantError, Turn
from conversations.assistants.definitions import Definition
from conversations.models import Run
from tests.api import Api
from tests.conversations.assistants.support import answered, conversation_with, ending
from tests.conversations.support import frames, replayed

built: list[str] = []


class Costly:
    """Takes its time to get ready."""

    version = "7"

    def __init__(self) -> None:
        built.append("costly")

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Ready.")


class Broken:
    """Never gets ready."""

    def __init__(self) -> None:
        built.append("broken")
        raise RuntimeError("secret-of-the-plugin")

    async def answer(self, turn: Turn) -> None: ...


@pytest.fixture(autouse=True)
def ours() -> Any:
    paths = {name: f"{__name__}.{name.capitalize()}" for name in ("costly", "broken")}
    built.clear()
    with override_settings(ASSISTANTS={**paths, "gone": "nowhere.Gone"}):
        yield


def shown(as_alice: Api, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in as_alice.get("assistants/").json["results"] if one["name"] == name)
    return found


async def test_a_run_records_the_version_that_answered(alice: User, as_alice: Api) -> None:
    run = await answered(alice, "Hi", await in_thread(conversation_with, alice, "costly"))
    [start] = [event["data"] for event in await in_thread(frames, run.conversation_id) if event["type"] == "run:start"]
    assert (run.status, run.version, start["version"]) == ("completed", "7", "7")
    assert (await in_thread(as_alice.get, f"runs/{run.id}/")).json["version"] == "7"
    assert (await in_thread(shown, as_alice, "costly"))["state"] == "ready"
    await in_thread(replayed, run.conversation_id)


async def test_what_is_costly_is_built_once_however_many_ask(alice: User) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def build() -> Costly:
        begun.set()
        assert go_on.wait(5)
        return Costly()

    first = Definition("slow", "1", "setting", "", "here", build)
    asking = [asyncio.create_task(building.built(first)) for _ in range(20)]
    assert await asyncio.to_thread(begun.wait, 5)
    go_on.set()
    assert len({id(one) for one in await asyncio.gather(*asking)}) == 1
    assert built == ["costly"]
    await building.built(Definition("slow", "2", "setting", "", "here", Costly))
    assert built == ["costly", "costly"], "another version is built anew"


async def test_one_that_cannot_be_built_says_so_and_is_tried_again_later(alice: User, as_alice: Api) -> None:
    conversation = await in_thread(conversation_with, alice, "broken")
    for _ in range(2):
        end = await ending(await answered(alice, "Hi", conversation))
        assert (end["status"], end["error"]["code"]) == ("failed", "assistant_not_built")
        assert "secret" not in str(end)
    assert built == ["broken"], "not with every question"
    assert (await in_thread(shown, as_alice, "broken"))["state"] == "failed"
    with override_settings(BUILD_RETRY_SECONDS=0):
        await answered(alice, "Hi", conversation)
    assert built == ["broken", "broken"]


async def test_one_whose_code_is_not_there_is_listed_and_fails_alone(alice: User, as_alice: Api) -> None:
    assert (await in_thread(shown, as_alice, "gone"))["description"] == ""
    end = await ending(await answered(alice, "Hi", await in_thread(conversation_with, alice, "gone")))
    assert end["error"]["code"] == "assistant_not_built"


async def test_one_that_is_not_offered_any_more(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "costly")
    with override_settings(ASSISTANTS={}):
        run = await answered(alice, "Hi", conversation)
    assert (await ending(run))["error"]["code"] == "assistant_unknown"
    assert (await Run.objects.aget(id=run.id)).version is None
    with pytest.raises(AssistantError):
        await calling.answer("nobody", None)  # type: ignore[arg-type]
    assert await in_thread(registry.version, "nobody") is None
