"""kill -9 at the worst moments, with real processes."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.lib.threads import in_thread
from tests.faults.checker import History, violations
from tests.faults.cluster import Cluster
from tests.faults.support import client, connected, damage, log_of, place_of, status_of, stored_of, until, until_stored

Make = Callable[..., Cluster]


async def test_a_web_server_dies_around_commit(
    alice: User, bob: User, conversation: UUID, cluster: Make, tmp_path: Path
) -> None:
    """Between INSERT and COMMIT: not in the log, and no gap. Between COMMIT and hint: others get it by their
    poll. Either way it is there once when the sender, who cannot know, has sent it again."""
    history = History()
    async with cluster(webs=2) as running:
        crashing, steady = running.webs
        sender = await client(alice, [crashing.address], history, [conversation])
        reader = await client(bob, [steady.address], history, [conversation])
        async with connected(sender, reader):
            for seq, failpoint, stored in ((3, "before_commit", False), (4, "after_commit", True)):
                crashing.kill()
                crashing.start(CRASH_AT=failpoint, CRASH_ONCE=str(tmp_path / failpoint))
                await crashing.ready()
                await until(sender.ready)
                cmid = await sender.send(str(conversation), failpoint)
                await until(crashing.dead)
                assert len(await log_of(conversation)) == (seq if stored else seq - 1)
                if stored:
                    assert await until(partial(reader.has, str(conversation), seq)) < 2
                crashing.start()
                await until(lambda: sender.settled)
                assert (await log_of(conversation))[-1]["cmid"] == cmid
                for one in (reader, sender):
                    await until(partial(one.has, str(conversation), seq))
    assert violations(history, {str(conversation): await log_of(conversation)}) == []
    assert await in_thread(damage, [conversation]) == []


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        pytest.param({"LEASE_SECONDS": "2", "SWEEP_SECONDS": "1"}, 5, id="short"),
        pytest.param({}, 20, id="as it is", marks=pytest.mark.faults),
    ],
)
async def test_a_worker_killed_in_the_middle_of_an_answer(
    alice: User, cluster: Make, settings: dict[str, str], seconds: int
) -> None:
    """`interrupted` within 20 s with the settings as they are, the text kept, the queue goes on."""
    conversation = await place_of(alice)
    history = History()
    async with cluster(webs=1, workers=1, **settings) as running:
        reader = await client(alice, running.addresses, history, [conversation])
        async with connected(reader):
            await reader.send(str(conversation), "slow 2000 20", assistant="openai")
            await reader.send(str(conversation), "say next", assistant="openai")
            await until_stored(lambda: stored_of(conversation) > 50)
            running.workers[0].kill()
            killed = time.monotonic()
            kept = await in_thread(stored_of, conversation)
            place = reader.places[str(conversation)]
            await until(lambda: place.view.texts, seconds=seconds + 1)
            assert time.monotonic() - killed < seconds
            (text,) = place.view.texts.values()
            assert len(text) == kept
            running.workers[0].start()
            await until(lambda: len(place.view.texts) == 2)
            assert list(place.view.texts.values())[1] == "next "
    log = await log_of(conversation)
    ends = [event["data"] for event in log if event["type"] == "run:end"]
    assert [end["status"] for end in ends] == ["interrupted", "completed"]
    assert violations(history, {str(conversation): log}) == []
    assert await in_thread(damage, [conversation]) == []


async def test_a_worker_paused_beyond_its_lease(alice: User, cluster: Make) -> None:
    """SIGSTOP, the run is interrupted, SIGCONT: what the worker still writes is refused, and it goes on."""
    conversation = await place_of(alice)
    history = History()
    async with cluster(webs=1, workers=1, LEASE_SECONDS="2", SWEEP_SECONDS="1") as running:
        reader = await client(alice, running.addresses, history, [conversation])
        async with connected(reader):
            await reader.send(str(conversation), "slow 2000 10", assistant="openai")
            await until_stored(lambda: stored_of(conversation) > 50)
            running.workers[0].pause()
            await until_stored(lambda: status_of(conversation) == "interrupted")
            running.workers[0].go_on()
            ended = len(await log_of(conversation))
            assert await asyncio.to_thread(running.provider.last.closed.wait, 3)
            await reader.send(str(conversation), "say next", assistant="openai")
            place = reader.places[str(conversation)]
            await until(lambda: len(place.view.texts) == 2)
            log = await log_of(conversation)
            assert [event["type"] for event in log[ended:]] == ["message:new", "run:start", "run:end"]
            await until(lambda: place.seq == len(log))
    assert violations(history, {str(conversation): log}) == []
    assert await in_thread(damage, [conversation]) == []


async def test_a_worker_asked_to_stop_ends_its_turns(alice: User, cluster: Make) -> None:
    """SIGTERM: a short answer is finished, a long one says that the worker was stopped; exit code 0."""
    short, long = [await place_of(alice) for _ in range(2)]
    history = History()
    async with cluster(webs=1, workers=1, DRAIN_SECONDS="5") as running:
        reader = await client(alice, running.addresses, history, [short, long])
        async with connected(reader):
            await reader.send(str(short), "slow 100 20", assistant="openai")
            await reader.send(str(long), "slow 2000 20", assistant="openai")
            await until_stored(lambda: stored_of(short) and stored_of(long))
            assert await asyncio.to_thread(running.workers[0].stop) == 0
            assert await in_thread(status_of, short) == "completed"
            assert await in_thread(status_of, long) == "interrupted"
            end = (await log_of(long))[-1]["data"]
            assert end["error"]["code"] == "worker_stopped"
            assert len(end["text"]) > 1000
            await until(lambda: len(reader.places[str(long)].view.texts) == 1)
    assert violations(history, {str(id_): await log_of(id_) for id_ in (short, long)}) == []
    assert await in_thread(damage, (short, long)) == []


async def test_stop_and_resume_on_other_processes(alice: User, bob: User, cluster: Make) -> None:
    """An answer is read on one server, gone on with on another, and stopped on a third."""
    conversation = await place_of(alice)
    history = History()
    async with cluster(webs=3, workers=1) as running:
        reader = await client(alice, running.addresses[:1], history, [conversation])
        stopper = await client(alice, running.addresses[2:], history, [conversation])
        async with connected(reader, stopper):
            await reader.send(str(conversation), "slow 2000 10", assistant="openai")
            place = reader.places[str(conversation)]
            await until(lambda: any(len(text) > 100 for text in place.held.values()))
            reader.move(running.addresses[1:2])
            running.webs[0].kill()
            ((run, text),) = place.held.items()
            await until(lambda: reader.connections == 2)
            await until(lambda: len(place.held[run]) > len(text) + 50)
            assert place.held[run].startswith(text)
            begun = time.monotonic()
            await stopper.stop(run)
            assert await asyncio.to_thread(running.provider.last.closed.wait, 2)
            assert time.monotonic() - begun < 1.5
            await until(lambda: place.view.texts and stopper.places[str(conversation)].view.texts)
    assert violations(history, {str(conversation): await log_of(conversation)}) == []
    assert await in_thread(damage, [conversation]) == []
