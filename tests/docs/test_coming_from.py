"""docs/coming-from.md: each row has a test, each test here is a row, and the code of the page runs as it stands."""

import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.models import Conversation, Run
from conversations.services import runs
from tests.api import Api
from tests.conversations.assistants.conftest import watching
from tests.conversations.assistants.support import ask, conversation_with, ending
from tests.conversations.assistants.test_turns import until
from tests.docs.pages import BASE, code, rows, text, words
from tests.docs.test_faults import functions_in

__all__ = ["watching"]
MODULE = "shop_concierge"
PAGE = text("coming-from.md")


@pytest.fixture(scope="module")
def concierge() -> Iterator[ModuleType]:
    """The code of the page as a module; of the assistant in it one is made for the whole process."""
    [source] = code(PAGE, "python")
    module = sys.modules[MODULE] = ModuleType(MODULE)
    exec(compile(source, "docs/coming-from.md", "exec"), vars(module))
    yield module
    del sys.modules[MODULE]


@pytest.fixture(autouse=True)
def _offered(concierge: ModuleType, settings: Settings) -> None:
    settings.ASSISTANTS = settings.ASSISTANTS | {"concierge": f"{MODULE}.Concierge"}


def test_every_row_names_a_test_that_is_there() -> None:
    for there, here, test in rows(PAGE):
        [path] = words(test)
        file, _, name = path.partition("::")
        assert here
        assert name in functions_in(BASE / file), f"{there}: there is no {path}"


def test_every_test_of_a_hook_is_a_row() -> None:
    file = "tests/docs/test_coming_from.py"
    named = {words(test)[0] for _, _, test in rows(PAGE)}
    hooks = {f"{file}::{name}" for name in functions_in(BASE / file) if not name.startswith("test_every_")}
    assert hooks <= named


async def said(user: User, conversation: UUID, message: str) -> str:
    run = await in_thread(ask, user, conversation, message)
    await runner.take_turn(conversation)
    return str((await ending(run))["text"])


async def test_on_chat_start(alice: User) -> None:
    place = await in_thread(conversation_with, alice, "concierge")
    assert await said(alice, place, "Hello") == "Welcome! Message 1: Hello "
    assert await said(alice, place, "Again") == "Message 2: Again "


async def test_on_message(alice: User) -> None:
    place = await in_thread(conversation_with, alice, "concierge")
    await said(alice, place, "One")
    assert await said(alice, place, "Two") == "Message 2: Two "


async def test_on_stop(alice: User, concierge: ModuleType, watching: None) -> None:
    place = await in_thread(conversation_with, alice, "concierge")
    run = await in_thread(ask, alice, place, "wait for me")
    turn = asyncio.create_task(runner.take_turn(place))
    await until(lambda: Run.objects.get(id=run.id).stored)
    await asyncio.wrap_future(await in_thread(lambda: runs.stop(user=alice, run=run)))
    await turn
    end = await ending(run)
    assert (end["status"], end["text"]) == ("stopped", "Welcome! Message 1: wait for me ")
    assert concierge.stopped == ["wait for me"]


async def test_on_chat_resume(alice: User, as_alice: Api) -> None:
    """Closed in between, and without anything that the process would have kept."""
    place = await in_thread(conversation_with, alice, "concierge")
    await said(alice, place, "One")
    for status in ("archived", "open"):
        changed = await in_thread(as_alice.patch, f"conversations/{place}/", {"status": status})
        assert changed.status == 200
    assert await said(alice, place, "Two") == "Message 2: Two "


def test_on_chat_end(as_alice: Api) -> None:
    session = as_alice.post("sessions/", {"assistant": "concierge"}).json
    assert as_alice.delete(f"sessions/{session['id']}/").status == 204
    assert as_alice.get(f"sessions/{session['id']}/").json["ended_at"]
    assert Conversation.objects.get(id=session["conversation"]).expires_at, "it is temporary"


def test_user_session(as_alice: Api) -> None:
    session = as_alice.post("sessions/", {"data": {"cart": []}}).json
    as_alice.patch(f"sessions/{session['id']}/", {"data": {"cart": ["tea"]}})
    assert as_alice.get(f"sessions/{session['id']}/").json["data"] == {"cart": ["tea"]}
