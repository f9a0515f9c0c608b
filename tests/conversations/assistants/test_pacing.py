"""A machine calls assistants so often and no more; what comes beyond waits, and is answered all the same."""

import asyncio
import time

import pytest
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.models import Run
from tests.conversations.assistants.support import ask, conversation_with


async def test_what_comes_beyond_waits(alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LIMIT_ASSISTANT_CALLS = 2
    monkeypatch.setattr(runner, "NODE", new_id().hex)
    places = [await in_thread(conversation_with, alice) for _ in range(5)]
    queued = [await in_thread(ask, alice, place) for place in places]
    begun = time.monotonic()
    await asyncio.gather(*(runner.take_turn(place) for place in places))
    assert time.monotonic() - begun >= 2
    ended = Run.objects.filter(id__in=[run.id for run in queued])
    assert [run.status async for run in ended] == ["completed"] * 5
