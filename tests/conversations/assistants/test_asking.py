"""A turn that asks a person, waits as a row, and goes on in whatever worker comes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import wire
from conversations.assistants import runner, sweeper
from conversations.assistants.base import Turn
from conversations.models import Message, Run
from conversations.services import answering, runs
from tests.api import Api
from tests.conversations.assistants.support import ask, conversation_with, ending
from tests.conversations.support import frames, refusal, replayed

CHOICE = {"title": "Which size?", "enum": ["small", "large"]}
worked: list[str] = []


class Shop:
    """Takes an order after asking twice; what it did before is not done again."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Let me see. ")
        async with turn.step("tool", "stock", {"item": "tea"}) as step:
            if not step.done:
                worked.append("stock")
                step.output = {"left": 3}
        size = await turn.ask("choice", CHOICE)
        await turn.emit(f"A {size} tea of {step.output['left']}. ")
        async with turn.step("plugin", "order"):
            if await turn.ask("approval", {"title": "Order it?"}):
                await turn.emit("Ordered.")
            else:
                await turn.emit("Not ordered.")


@pytest.fixture(autouse=True)
def shop() -> Iterator[None]:
    with override_settings(ASSISTANTS={"shop": f"{__name__}.Shop"}):
        worked.clear()
        yield


async def waiting(user: User) -> Run:
    conversation = await in_thread(conversation_with, user, "shop")
    run = await in_thread(ask, user, conversation, "Tea, please")
    await runner.take_turn(conversation)
    return await Run.objects.aget(id=run.id)


def asked(run: Run) -> dict[str, Any]:
    return [step for step in wire.run(Run.objects.get(id=run.id))["steps"] if step["name"] == "ask"][-1]


async def say(user: User, run: Run, value: Any) -> None:
    step = (await in_thread(asked, run))["step"]
    await in_thread(lambda: answering.answer(user=user, run=run, step=step, value=value).result(10))
    await runner.take_turn(run.conversation_id)


async def test_it_waits_and_goes_on_where_it_was(alice: User) -> None:
    run = await waiting(alice)
    assert (run.status, run.lease_until) == ("waiting", None)
    question = await in_thread(asked, run)
    assert (question["kind"], question["schema"], question["status"]) == ("choice", CHOICE, "waiting")

    await say(alice, run, "small")
    again = await Run.objects.aget(id=run.id)
    assert (again.status, (await in_thread(asked, run))["kind"]) == ("waiting", "approval")
    await say(alice, run, True)

    ended = await ending(run)
    assert (ended["status"], ended["text"]) == ("completed", "Let me see. A small tea of 3. Ordered.")
    assert worked == ["stock"]
    steps = (await in_thread(wire.run, await Run.objects.aget(id=run.id)))["steps"]
    assert [(step["name"], step["status"]) for step in sorted(steps, key=lambda step: step["step"])] == [
        ("stock", "completed"), ("ask", "answered"), ("order", "completed"), ("ask", "answered"),
    ]  # fmt: skip
    await in_thread(replayed, run.conversation_id)


async def test_what_was_shown_is_a_prefix_all_along(alice: User) -> None:
    run = await waiting(alice)
    assert run.stored == len("Let me see. ")
    await say(alice, run, "large")
    assert (await Run.objects.aget(id=run.id)).stored == len("Let me see. A large tea of 3. ")


async def test_nothing_else_is_answered_meanwhile_and_stop_ends_it(alice: User) -> None:
    run = await waiting(alice)
    await in_thread(ask, alice, run.conversation_id, "And?")
    await runner.take_turn(run.conversation_id)
    assert (await Run.objects.aget(id=run.id)).status == "waiting"
    await in_thread(lambda: runs.stop(user=alice, run=run).result(10))
    assert run.message
    message = await Message.objects.aget(id=run.message)
    assert (message.status, await in_thread(wire.message_text, message)) == ("stopped", "Let me see. ")
    await in_thread(replayed, run.conversation_id)


async def test_the_first_answer_counts_and_must_fit(alice: User) -> None:
    run = await waiting(alice)
    step = (await in_thread(asked, run))["step"]

    def answer(step: str, value: Any, cmid: str | None = None) -> Any:
        return answering.answer(user=alice, run=run, step=step, value=value, cmid=cmid)

    assert refusal(await in_thread(answer, step, "medium")) == "invalid"
    assert refusal(await in_thread(answer, "other", "small")) == "invalid"
    first = await in_thread(lambda: answer(step, "small", "a").result(10))
    assert (await in_thread(lambda: answer(step, "small", "a").result(10))).main == first.main
    assert refusal(await in_thread(answer, step, "large")) == "run_not_active"
    with pytest.raises(Problem, match="invalid"):
        await in_thread(answer, step, "a\0b")
    said = [frame for frame in await in_thread(frames, run.conversation_id) if frame["type"] == "run:answer"]
    assert [frame["data"] for frame in said] == [{"run": str(run.id), "step": step, "value": "small"}]


async def test_a_lost_job_is_found_and_a_dead_worker_noticed(alice: User) -> None:
    run = await waiting(alice)
    step = (await in_thread(asked, run))["step"]
    await in_thread(lambda: answering.answer(user=alice, run=run, step=step, value="small").result(10))
    await Run.objects.filter(id=run.id).aupdate(queued_at="2020-01-01T00:00:00Z")
    await in_thread(lambda: ProcrastinateJob.objects.filter(args__conversation=str(run.conversation_id)).delete())
    assert run.conversation_id in await in_thread(sweeper.lost_conversations)
    claim = await in_thread(lambda: runs.claim(conversation=run.conversation_id, worker="dies"))
    assert claim
    assert claim.resumed
    assert await in_thread(lambda: runs.claim(conversation=run.conversation_id, worker="other")) is None
    await Run.objects.filter(id=run.id).aupdate(lease_until="2020-01-01T00:00:00Z")
    await in_thread(sweeper.interrupt_dead)
    assert (await ending(run))["status"] == "interrupted"


def test_the_routes(alice: User, mallory: User) -> None:
    conversation = conversation_with(alice, "shop")
    first, second = ask(alice, conversation, "One"), ask(alice, conversation, "Two")
    api, stranger = (Api(tokens.issue(user)["access"]) for user in (alice, mallory))
    queue = api.get(f"conversations/{conversation}/runs/").json["results"]
    assert [one["id"] for one in queue] == [str(first.id), str(second.id)]
    assert stranger.get(f"conversations/{conversation}/runs/").code == "not_found"

    changed = api.patch(f"runs/{second.id}/", {"text": "Two, please"})
    assert changed.status == 200
    assert wire.message_text(Message.objects.get(id=second.reply_to)) == "Two, please"
    assert stranger.patch(f"runs/{second.id}/", {"text": "x"}).code == "not_found"

    assert api.delete(f"runs/{second.id}/").status == 204
    assert Message.objects.get(id=second.reply_to).status == "deleted"
    assert api.delete(f"runs/{second.id}/").status == 204, "taken back is taken back"
    assert runs.claim(conversation=conversation, worker="test")
    assert api.delete(f"runs/{first.id}/").code == "conflict"
    assert api.patch(f"runs/{first.id}/", {"text": "x"}).code == "conflict"
    assert api.post(f"runs/{first.id}/answer/", {"step": "s", "value": 1}).code == "run_not_active"
    assert stranger.post(f"runs/{first.id}/answer/", {"step": "s", "value": 1}).code == "not_found"
    assert api.post(f"runs/{first.id}/answer/", {"step": "s"}).code == "invalid"
    replayed(conversation)
