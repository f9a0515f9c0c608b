"""Batches over real worker processes, which are killed: every question is answered once."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.batches import results
from conversations.models import Batch, Run
from conversations.services import batches, messages
from tests.conversations.assistants.support import conversation_with
from tests.conversations.batches.working import begin, statuses
from tests.conversations.support import texts
from tests.faults.cluster import Cluster
from tests.faults.support import damage, log_of, until, until_stored

Make = Callable[..., Cluster]
QUICK = {"LEASE_SECONDS": "2", "SWEEP_SECONDS": "1", "MEND_BATCHES_SECONDS": "1", "MEND_QUEUE_SECONDS": "1"}


@pytest.fixture(autouse=True)
def model() -> Iterator[None]:
    """The assistant `openai` can be asked; by the workers, with an address of their own."""
    with override_settings(OPENAI_API_KEY="test"):
        yield


def questions(count: int, first: int = 10) -> list[str]:
    """Each different, and answered by as many words."""
    return [f"slow {number} 20" for number in range(first, first + count)]


def answer_of(question: str) -> str:
    return "".join(f"word{number} " for number in range(int(question.split()[1])))


def done(batch: Batch) -> int:
    return statuses(batch).count("done")


def at_least(batch: Batch, count: int) -> bool:
    return done(batch) >= count


def told(batch: Batch) -> list[dict[str, Any]]:
    return list(selectors.answered_rows(batch))


def runs_of(batch: Batch) -> Counter[str]:
    places = batch.rows.values("conversation")
    return Counter(Run.objects.filter(conversation__in=places).values_list("status", flat=True))


def over(*some: Batch) -> bool:
    return not Batch.objects.filter(id__in=[one.id for one in some], status__in=Batch.ACTIVE).exists()


async def check(batch: Batch, asked: list[str]) -> Counter[str]:
    """Every row is answered, once; how its runs ended."""
    rows = await in_thread(told, batch)
    assert [row["status"] for row in rows] == ["done"] * len(asked)
    assert [(row["question"], row["answer"]) for row in rows] == [(text, answer_of(text)) for text in asked]
    for row in rows:
        assert await in_thread(texts, row["conversation"]) == [row["question"]]
    found = await in_thread(runs_of, batch)
    assert found["completed"] == len(asked)
    assert sum(row["attempts"] for row in rows) == sum(found.values())
    assert await in_thread(damage, [row["conversation"] for row in rows]) == []
    counted: Any = await in_thread(selectors.batch_for, batch.user, batch.id)
    assert (counted.status, counted.done, counted.failed) == ("completed", len(asked), 0)
    return found


SHORT, LONG = (24, ((0, 4), (1, 12))), (60, ((0, 8), (1, 20), (0, 32), (1, 44)))


@pytest.mark.parametrize(
    ("count", "kills"), [pytest.param(*SHORT, id="short"), pytest.param(*LONG, id="long", marks=pytest.mark.faults)]
)
async def test_workers_are_killed_in_the_middle_of_two_batches(
    alice: User, bob: User, cluster: Make, count: int, kills: tuple[tuple[int, int], ...]
) -> None:
    """So many questions and 10, two workers, kill -9 of one when so many are answered."""
    asked, others = questions(count), questions(10)
    async with cluster(webs=0, workers=2, BATCH_PARALLEL="8", **QUICK) as running:
        batch, other = await in_thread(begin, alice, asked), await in_thread(begin, bob, others)
        for worker, least in kills:
            await until_stored(partial(at_least, batch, least), 60)
            running.workers[worker].kill()
            running.workers[worker].start()
        await until_stored(lambda: over(batch, other), 90)
        found = await check(batch, asked)
        await check(other, others)
        assert found["interrupted"] >= 1
        calls = Counter(request.text for request in running.provider.requests)
        assert set(calls) == {*asked, *others}


@pytest.mark.parametrize("failpoint", ["batch_asked", "after_commit"])
async def test_a_worker_dies_around_asking(alice: User, cluster: Make, tmp_path: Path, failpoint: str) -> None:
    """It has asked, and cannot say so any more; what follows it asks nothing twice."""
    asked = questions(6)
    once = {"CRASH_AT": failpoint, "CRASH_ONCE": str(tmp_path / "once")}
    async with cluster(webs=0, workers=2, **once, **QUICK) as running:
        batch = await in_thread(begin, alice, asked)
        await until_stored(lambda: any(worker.dead() for worker in running.workers), 60)
        await until_stored(lambda: over(batch), 90)
    await check(batch, asked)


async def test_stopped_in_the_middle(alice: User, cluster: Make) -> None:
    """Results are there at any time; a stop reaches what is being answered."""
    asked = [*questions(6), *["slow 3000 20"] * 4]
    async with cluster(webs=0, workers=1, **QUICK) as running:
        batch = await in_thread(begin, alice, asked)
        await until_stored(lambda: done(batch) == 6 and statuses(batch).count("running") == 4, 60)
        await until(lambda: len(running.provider.asked("slow 3000 20")) == 4)
        half = await in_thread(lambda: b"".join(results.FORMS["csv"].write(batch)).decode())
        assert half.count(",done,") == 6
        assert answer_of(asked[5]) in half
        await in_thread(lambda: batches.stop(user=alice, batch=batch.id))
        assert await in_thread(statuses, batch) == ["done"] * 6 + ["stopped"] * 4
        cut = running.provider.asked("slow 3000 20")
        assert [request.closed.wait(3) for request in cut] == [True] * 4
    assert (await in_thread(runs_of, batch))["stopped"] == 4


async def test_the_run_that_shows_a_batch_outlives_its_workers(alice: User, cluster: Make) -> None:
    """No worker holds it: both are killed in turn, and whichever is alive says what came of it."""
    place = await in_thread(conversation_with, alice, "openai")
    asked = questions(20)
    async with cluster(webs=0, workers=2, **QUICK) as running:
        run = await in_thread(send_batch, alice, place, asked)
        await until_stored(lambda: Batch.objects.filter(run=run).exists(), 60)
        batch = await Batch.objects.select_related("user").aget(run=run)
        for worker, least in ((0, 4), (1, 10)):
            await until_stored(partial(at_least, batch, least), 60)
            running.workers[worker].kill()
            running.workers[worker].start()
        await until_stored(lambda: over(batch) and Run.objects.get(id=run).ended_at is not None, 90)
    await check(batch, asked)
    assert await Batch.objects.filter(user=alice).acount() == 1, "it was begun once"
    ends = [event["data"] for event in await log_of(place) if event["type"] == "run:end"]
    assert [end["run"] for end in ends] == [str(run)]
    # Killed in the few milliseconds in which it was looked after, it says so; the batch does not mind.
    assert ends[0]["status"] in ("completed", "interrupted")
    if ends[0]["status"] == "completed":
        assert "20 of 20 questions answered" in ends[0]["text"]
    assert await in_thread(damage, [place]) == []


def send_batch(user: User, place: UUID, asked: list[str]) -> UUID:
    """Have the action ask these questions; its run."""
    sent = messages.send(user=user, conversation=place, text="\n".join(asked), cmid="batch", action="batch").result(30)
    return UUID(sent.main["data"]["run"])
