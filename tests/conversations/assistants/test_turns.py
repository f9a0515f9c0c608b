"""Taking turns: order, one at a time, stop, leases and fences, with the real runner in this process."""

import asyncio
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import override_settings
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations.assistants import chunks, runner, sweeper
from conversations.assistants.base import Turn
from conversations.models import Run
from conversations.services import runs
from tests.conversations.assistants.support import answered, ask, asked, conversation_with, ending
from tests.conversations.support import check_numbers, frames, refusal, replayed
from tests.provider import Provider
from tests.serving import eventually


async def until(condition: Any, seconds: float = 5) -> None:
    """Wait for a condition that is looked up in a database thread."""
    deadline = time.monotonic() + seconds
    while not await in_thread(condition):
        assert time.monotonic() < deadline, "still not so"
        await asyncio.sleep(0.02)


def stored(run: Run) -> int:
    return Run.objects.get(id=run.id).stored


async def drain(conversation: UUID) -> None:
    """Take turns, from three workers' tasks at once, until none is left."""

    async def work() -> None:
        while await in_thread(lambda: Run.objects.filter(conversation=conversation, ended_at=None).exists()):
            await runner.take_turn(conversation)
            await asyncio.sleep(0.01)

    await asyncio.gather(work(), work(), work())


async def test_fifty_questions_at_once_are_answered_one_by_one_in_order(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    await asyncio.gather(*(in_thread(ask, alice, conversation, f"say {number}") for number in range(50)))
    await drain(conversation)
    log = await in_thread(frames, conversation)
    turns = [event["data"]["run"] for event in log if event["type"] in ("run:start", "run:end")]
    assert turns[::2] == turns[1::2], "a turn begins after the one before has ended"
    asked_for = [event["data"]["run"] for event in log if event["type"] == "message:new"]
    assert turns[::2] == asked_for
    assert {event["data"]["status"] for event in log if event["type"] == "run:end"} == {"completed"}
    assert len(provider.requests) == 50
    await in_thread(check_numbers, conversation)


async def test_each_turn_sees_what_came_before_its_question(alice: User, provider: Provider) -> None:
    """Both are asked before the first is answered: the second is sent the first question and its answer."""
    conversation = await in_thread(conversation_with, alice, "openai")
    for text in ("say one", "say two"):
        await in_thread(ask, alice, conversation, text)
    await drain(conversation)
    sent = [[message["content"] for message in request.body["messages"][1:]] for request in provider.requests]
    assert sent == [["say one"], ["say one", "one ", "say two"]]


@pytest.mark.usefixtures("watching")
async def test_stop_closes_the_connection_to_the_model(alice: User, provider: Provider) -> None:
    """`stall`: nothing is emitted any more that would show the worker that its run was ended."""
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, conversation, "stall")
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: stored(run))
    begun = time.monotonic()
    await asyncio.wrap_future(runs.stop(user=alice, run=run))
    assert await asyncio.to_thread(provider.last.closed.wait, 2)
    assert time.monotonic() - begun < 1
    await turn
    end = await ending(run)
    assert (end["status"], end["text"]) == ("stopped", "Wait ")
    await in_thread(replayed, conversation)


@pytest.mark.usefixtures("watching")
async def test_stop_in_the_middle_of_a_stream_and_the_next_one_goes_on(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, conversation, "slow 500 10")
    following = await in_thread(ask, alice, conversation, "say next")
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: stored(run) > 20)
    await asyncio.wrap_future(runs.stop(user=alice, run=run))
    await turn
    end = await ending(run)
    full = "".join(f"word{number} " for number in range(500))
    assert end["status"] == "stopped"
    assert full.startswith(end["text"])
    assert len(end["text"]) > 20
    await runner.take_turn(conversation)
    assert (await ending(following))["text"] == "next "


async def test_a_worker_that_is_stopped_says_so_and_keeps_the_text(alice: User, provider: Provider) -> None:
    """What procrastinate does to jobs that outlast a worker's grace: it cancels them."""
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, conversation, "slow 500 10")
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: stored(run) > 20)
    turn.cancel()
    await turn
    end = await ending(run)
    assert (end["status"], end["error"]["code"]) == ("interrupted", "worker_stopped")
    assert len(end["text"]) > 20
    assert await asyncio.to_thread(provider.last.closed.wait, 1)
    await in_thread(replayed, conversation)


async def test_a_late_piece_and_a_late_end_are_refused(alice: User) -> None:
    conversation, claim = await in_thread(asked, alice)
    await asyncio.wrap_future(chunks.store(chunks.Piece(claim, "Half", 0)))
    await Run.objects.filter(id=claim.run).aupdate(lease_until=Now() - timedelta(seconds=1))
    await in_thread(sweeper.sweep)
    late: Any = chunks.store(chunks.Piece(claim, " an answer", 4))
    assert await in_thread(refusal, late) == "run_not_active"
    over = runs.end(claim=claim, status="completed", text="Half an answer")
    assert await in_thread(refusal, over) == "run_not_active"
    run = await Run.objects.aget(id=claim.run)
    end = await ending(run)
    assert (end["status"], end["text"], end["error"]["code"]) == ("interrupted", "Half", "worker_lost")
    await in_thread(replayed, conversation)


@pytest.mark.usefixtures("watching")
async def test_a_worker_whose_run_was_taken_away_gives_up(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, conversation, "stall")
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: stored(run))
    await Run.objects.filter(id=run.id).aupdate(fence=F("fence") + 1)
    assert await asyncio.to_thread(provider.last.closed.wait, 2)
    await turn


@pytest.mark.usefixtures("watching")
@override_settings(LEASE_SECONDS=2)
async def test_a_lease_is_renewed_while_nothing_is_emitted(alice: User, provider: Provider) -> None:
    conversation = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, conversation, "stall")
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: stored(run))
    await asyncio.sleep(2.5)
    await in_thread(sweeper.sweep)
    assert (await Run.objects.aget(id=run.id)).status == "running"
    await asyncio.wrap_future(runs.stop(user=alice, run=run))
    await turn


def test_a_piece_is_stored_once_however_often_it_is_sent(alice: User) -> None:
    """The outcome of a COMMIT can be unknown; then it is tried again."""
    _, claim = asked(alice)
    for piece in (chunks.Piece(claim, "One ", 0), chunks.Piece(claim, "One ", 0), chunks.Piece(claim, "two", 4)):
        assert chunks.store(piece).result(10) == piece.end
    wrong: Any = chunks.store(chunks.Piece(claim, "four", 20))
    assert refusal(wrong) == "conflict"
    stopped = runs.stop(user=alice, run=Run.objects.get(id=claim.run)).result(10)
    assert stopped.main["data"]["text"] == "One two"


def test_a_queued_run_that_lost_its_job_is_enqueued_again(alice: User) -> None:
    conversation = conversation_with(alice)
    run = ask(alice, conversation)
    jobs = ProcrastinateJob.objects.filter(args__conversation=str(conversation))
    Run.objects.filter(id=run.id).update(queued_at=Now() - timedelta(seconds=11))
    assert conversation not in sweeper.lost_conversations(), "its job is there"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE args->>'conversation' = %s", [str(conversation)])
    assert conversation in sweeper.lost_conversations()
    sweeper.sweep()
    assert jobs.count() == 1
    assert conversation not in sweeper.lost_conversations()


def test_a_sweeper_that_hangs_is_replaced(alice: User) -> None:
    """A process that is paused in the middle of a sweep keeps its lock until the database ends its transaction."""
    _, claim = asked(alice)
    Run.objects.filter(id=claim.run).update(lease_until=Now() - timedelta(seconds=1))
    holding, over = threading.Event(), threading.Event()

    def hang() -> None:
        with suppress(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '500ms'")
            while not sweeper._elected():
                time.sleep(0.01)
            holding.set()
            over.wait(10)
        connection.close()

    thread = threading.Thread(target=hang)
    thread.start()
    assert holding.wait(5)
    sweeper.sweep()
    assert Run.objects.get(id=claim.run).status == "running"

    def swept() -> bool:
        sweeper.sweep()
        return Run.objects.get(id=claim.run).status == "interrupted"

    eventually(swept, 5)
    over.set()
    thread.join(5)


class Steps:
    """Shows a step whose input and output are far too large."""

    async def answer(self, turn: Turn) -> None:
        async with turn.step("tool", "big", input={"q": "漢" * 20_000}) as step:
            step.output = ["x" * 50_000]
            step.sources = [{"title": "Page"}]
        await turn.emit("Done.")


class Breaks:
    """Fails inside a step, with words that are nobody's business."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("So far ")
        async with turn.step("tool", "breaks"):
            raise RuntimeError("secret-of-the-plugin")


@pytest.fixture
def own() -> Any:
    """Assistants of these tests."""
    with override_settings(ASSISTANTS={name: f"{__name__}.{name}" for name in ("Steps", "Breaks")}):
        yield


async def own_answer(alice: User, name: str) -> Run:
    return await answered(alice, "Go", await in_thread(conversation_with, alice, name))


@pytest.mark.usefixtures("own")
async def test_steps_are_bounded(alice: User) -> None:
    run = await own_answer(alice, "Steps")
    log = await in_thread(frames, run.conversation_id)
    steps = [event["data"] for event in log if event["type"] == "run:step"]
    assert [step["status"] for step in steps] == ["running", "completed"]
    for step in steps:
        for value in (step.get("input"), step.get("output")):
            assert len(str(value).encode()) <= settings.STEP_MAX_BYTES + 10
    assert steps[1]["sources"] == [{"title": "Page"}]
    assert (await ending(run))["text"] == "Done."


@pytest.mark.usefixtures("own")
async def test_an_assistant_that_breaks_fails_without_a_traceback(alice: User) -> None:
    run = await own_answer(alice, "Breaks")
    end = await ending(run)
    assert (end["status"], end["text"], end["error"]["code"]) == ("failed", "So far ", "assistant_error")
    log = await in_thread(frames, run.conversation_id)
    assert [event["data"]["status"] for event in log if event["type"] == "run:step"] == ["running", "failed"]
    assert "secret" not in str(log)


async def test_the_database_is_away_for_a_moment(
    alice: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces and the end are written when it is back; nothing twice, nothing missing."""
    refusals = iter([Problem("unavailable")] * 3)
    for module, name in ((chunks, "store"), (runs, "end")):
        monkeypatch.setattr(module, name, _after(refusals, getattr(module, name)))
    run = await answered(alice, "slow 20 10")
    assert next(refusals, None) is None
    end = await ending(run)
    assert (end["status"], end["text"]) == ("completed", "".join(f"word{number} " for number in range(20)))
    await in_thread(replayed, run.conversation_id)


def _after(refusals: Any, write: Any) -> Any:
    def refused_first(*args: Any, **kwargs: Any) -> Any:
        problem = next(refusals, None)
        if problem:
            raise problem
        return write(*args, **kwargs)

    return refused_first
