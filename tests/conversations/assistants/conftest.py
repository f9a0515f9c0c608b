"""A worker inside the test: turns are taken by the real runner, answers come from the scripted model."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from django.test import override_settings

from conversations.assistants import runner
from conversations.assistants.isolation import patience
from realtime.tasks import end
from tests.provider import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    """The scripted model, which the assistant `openai` asks; whoever was before it has not asked for patience."""
    patience._closed_until.clear()
    with Provider() as model, override_settings(OPENAI_BASE_URL=model.url, OPENAI_API_KEY="test"):
        yield model


@pytest_asyncio.fixture
async def watching() -> AsyncIterator[None]:
    """Leases are renewed and lost runs given up, as in a worker process."""
    task = asyncio.create_task(runner.watch())
    yield
    await end([task])
