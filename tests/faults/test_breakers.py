"""The circuit breaker over real worker processes: they count together, and leave a failing provider alone together."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.models import Run
from tests.conversations.assistants.support import ask, conversation_with, ending
from tests.faults.cluster import Cluster
from tests.faults.support import until_stored

Make = Callable[..., Cluster]
# One call that succeeds and five that fail, of each of the two.
COUNTED = {"BREAKER_CALLS": "12", "PROVIDER_ATTEMPTS": "1"}


@pytest.fixture(autouse=True)
def model() -> Iterator[None]:
    """The assistant `openai` can be asked; by the workers, with an address of their own."""
    with override_settings(OPENAI_API_KEY="test"):
        yield


def alone(running: Cluster, number: int) -> None:
    """Of the workers, only this one goes on."""
    for worker in running.workers:
        worker.pause()
    running.workers[number].go_on()


async def codes(user: User, text: str, count: int) -> list[str]:
    """What so many questions, asked at once, end with: the code of the error, or nothing."""
    places = [await in_thread(conversation_with, user, "openai") for _ in range(count)]
    runs = [await in_thread(partial(ask, user, place, text)) for place in places]
    ended = Run.objects.filter(id__in=[run.id for run in runs]).exclude(ended_at=None)
    await until_stored(lambda: ended.count() == count, 60)
    ends = [await ending(run) for run in runs]
    return [end.get("error", {}).get("code", "") for end in ends]


async def test_two_workers_count_together_and_both_stop_asking(alice: User, cluster: Make) -> None:
    async with cluster(webs=0, workers=2, **COUNTED) as running:
        for number in (0, 1):
            alone(running, number)
            assert await codes(alice, "say hello", 1) == [""]
        for number in (0, 1):
            alone(running, number)
            assert await codes(alice, "status 500", 5) == ["provider_error"] * 5, "too few to say"
        assert len(running.provider.requests) == 12
        for number in (0, 1):
            alone(running, number)
            assert await codes(alice, "say hello", 3) == ["assistant_suspended"] * 3
        running.workers[0].go_on()
        assert await codes(alice, "say hello", 6) == ["assistant_suspended"] * 6
        assert len(running.provider.requests) == 12, "neither called it once more"
