"""Assistants of the kind `team`, whose turns are taken by the real runner."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now
from django.test import override_settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations.assistants import kinds, registry, runner, sweeper
from conversations.assistants import teams as at_work
from conversations.assistants.base import AssistantError, Turn
from conversations.assistants.turn import RunningTurn
from conversations.models import Message, Run
from conversations.services import conversations, messages, runs
from conversations.services.teaming import TRIES
from tests.api import Api
from tests.conversations.assistants.composing.cast import cast
from tests.conversations.assistants.support import ask, conversation_with
from tests.conversations.assistants.test_turns import drain
from tests.conversations.support import frames, refusal, replayed
from tests.provider import Provider

HERE = __name__


class Ann:
    """Says who she is and what she heard last."""

    async def answer(self, turn: Turn) -> None:
        heard = (await turn.context()).lines[-1]
        turn.usage = {"input_tokens": 10, "output_tokens": 2}
        await turn.emit(f"{turn.path[-1]} heard {heard.role} say {heard.text.splitlines()[0][:40]!r}")


class Ben(Ann):
    """Like Ann."""


class Cy:
    """Is done at once."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("That is all.\n[done]")


class Dee:
    """Hands over to Cy."""

    async def answer(self, turn: Turn) -> None:
        turn.hand_to = "cy"
        await turn.emit("Cy knows.")


class Eve:
    """Fails."""

    async def answer(self, turn: Turn) -> None:
        raise AssistantError("out_of_order", "Not today.")


class Boss:
    """Chooses Ben, until he has spoken; then she is done."""

    async def answer(self, turn: Turn) -> None:
        said = (await turn.context()).lines[-1].text
        turn.usage = {"input_tokens": 3, "output_tokens": 1}
        await turn.emit("done" if "ben heard" in said else "ben")


class Stuck:
    """Says something and no more."""

    async def answer(self, turn: Turn) -> None:
        await turn.emit("Let me think. ")
        await asyncio.sleep(3600)


PEOPLE: dict[str, Any] = {
    one.__name__.lower(): f"{HERE}.{one.__name__}" for one in (Ann, Ben, Cy, Dee, Eve, Boss, Stuck)
}
TEAMS: dict[str, Any] = {
    "round": {"members": ["ann", "ben"], "max_turns": 3},
    "over": {"members": ["ann", "dee", "cy"]},
    "led": {"members": ["ann", "ben"], "next": "coordinator", "coordinator": "boss"},
    "ruled": {"members": ["ann", "ben", "cy"], "next": "rule", "rules": [{"to": "cy", "after": "ann"}]},
    "thrifty": {"members": ["ann", "ben"], "max_tokens": 20},
    "broken": {"members": ["eve", "ann"], "max_turns": 2},
    "hopeless": {"members": ["eve", "eve2"]},
    "thinking": {"members": ["ann", "stuck", "ben"]},
    "nested": {"members": ["round", "ann"], "max_turns": 1},
    "models": {"members": ["openai", "ann"], "max_turns": 4},
}


@pytest.fixture(autouse=True)
def teams() -> Iterator[None]:
    made = {name: {"kind": "team", **config} for name, config in TEAMS.items()}
    hall = {"kind": "router", "default": "led", "rules": [{"to": "round", "keywords": ["round"]}]}
    panel = {"kind": "fanout", "members": ["round", "ann"]}
    openai = "conversations.assistants.builtin.openai.OpenAIAssistant"
    with cast(**PEOPLE, **made, hall=hall, panel=panel, eve2=f"{HERE}.Eve", openai=openai):
        yield


async def spoken(user: User, team: str, text: str = "Well?", conversation: UUID | None = None) -> list[Run]:
    """The runs of a conversation in which a team was asked, all of them taken."""
    if conversation is None:
        conversation = await in_thread(conversation_with, user, team)
    await in_thread(ask, user, conversation, text)
    await drain(conversation)
    await in_thread(replayed, conversation)
    return [run async for run in Run.objects.filter(conversation=conversation).order_by("queued_seq")]


def texts(runs_: list[Run]) -> list[str]:
    """What was said, in order, of the runs of one conversation."""
    return [frame["data"]["text"] for frame in frames(runs_[0].conversation_id) if frame["type"] == "run:end"]


async def test_each_contribution_is_a_run_and_a_message_of_its_own(alice: User) -> None:
    found = await spoken(alice, "round")
    assert [run.assistant for run in found] == ["ann", "ben", "ann"]
    assert [run.team and run.team["turn"] for run in found] == [1, 2, 3]
    assert [run.team and run.team["next"] for run in found] == ["ben", "ann", None]
    assert found[-1].team
    assert found[-1].team["why"] == "the limit of 3 turns is reached"
    assert {run.requested_by for run in found} == {alice.id}, "all of it is on Alice's bill"
    said = [row async for row in Message.objects.filter(conversation=found[0].conversation_id).order_by("seq")]
    assert [row.author_name for row in said[1:]] == ["ann", "ben", "ann"]
    assert await in_thread(texts, found) == [
        "ann heard user say 'Well?'",
        "ben heard user say \"ann: ann heard user say 'Well?'\"",
        "ann heard user say 'ben: ben heard user say \"ann: ann heard '",
    ]


async def test_the_next_turn_is_queued_in_the_commit_that_ends_the_one_before(alice: User) -> None:
    found = await spoken(alice, "round")
    log = await in_thread(frames, found[0].conversation_id)
    kinds_ = [frame["type"] for frame in log if frame["type"].startswith("run:")]
    assert kinds_ == ["run:start", "run:end", "run:queue"] * 2 + ["run:start", "run:end"]
    queued = [frame for frame in log if frame["type"] == "run:queue"]
    ends = {frame["seq"]: frame for frame in log if frame["type"] == "run:end"}
    for frame in queued:
        assert ends[frame["seq"] - 1]["at"] == frame["at"]
        assert ends[frame["seq"] - 1]["data"]["message"] == frame["data"]["reply_to"]


async def test_handing_over_and_being_done(alice: User) -> None:
    found = await spoken(alice, "over")
    assert [run.assistant for run in found] == ["ann", "dee", "cy"]
    assert [run.team and run.team["why"] for run in found] == ["in turn", "dee hands over", "cy is done"]


async def test_a_coordinator_names_who_speaks(alice: User) -> None:
    found = await spoken(alice, "led")
    assert [run.assistant for run in found] == ["led", "ben"]
    assert (await in_thread(texts, found))[0] == "@ben"
    assert [run.team and run.team["why"] for run in found] == ["boss chose", "boss: done"]
    assert [run.usage and run.usage["input_tokens"] for run in found] == [3, 13]


async def test_rules_name_who_speaks(alice: User) -> None:
    assert [run.assistant for run in await spoken(alice, "ruled")] == ["ann", "cy"]


async def test_the_limit_of_tokens(alice: User) -> None:
    found = await spoken(alice, "thrifty")
    assert [run.assistant for run in found] == ["ann", "ben"]
    assert found[-1].team
    assert found[-1].team["why"] == "the limit of 20 tokens is reached"


async def test_one_that_fails_does_not_take_the_others_along(alice: User) -> None:
    found = await spoken(alice, "broken")
    assert [(run.assistant, run.status) for run in found] == [("eve", "failed"), ("ann", "completed")]
    assert (await in_thread(texts, found))[1] == "ann heard user say 'Well?'"
    hopeless = await spoken(alice, "hopeless")
    assert [run.status for run in hopeless] == ["failed", "failed"]
    assert hopeless[-1].team
    assert hopeless[-1].team["why"] == "nobody could answer"


async def test_a_router_may_lead_to_a_team_and_a_fan_out_may_not(alice: User) -> None:
    assert [run.assistant for run in await spoken(alice, "hall", "once round")] == ["hall", "ann", "ben", "ann"]
    [alone] = await spoken(alice, "panel")
    assert (await in_thread(texts, [alone]))[0].startswith("## ann")
    [nested] = await spoken(alice, "nested")
    assert (nested.status, nested.error is not None) == ("failed", True)


async def test_a_team_goes_on_before_what_was_asked_meanwhile(alice: User) -> None:
    place = await in_thread(conversation_with, alice, "round")
    await in_thread(ask, alice, place, "First")
    await in_thread(ask, alice, place, "@cy Second")
    found = await drained(place)
    assert [run.assistant for run in found] == ["ann", "cy", "ben", "ann"], "in the order in which they were queued"
    begun = [run.assistant for run in sorted(found, key=lambda run: run.started_at or run.queued_at)]
    assert begun == ["ann", "ben", "ann", "cy"]


async def drained(place: UUID) -> list[Run]:
    await drain(place)
    await in_thread(replayed, place)
    return [run async for run in Run.objects.filter(conversation=place).order_by("queued_seq")]


async def test_a_model_is_told_of_its_team_and_who_said_what(alice: User, provider: Provider) -> None:
    await spoken(alice, "models", "say hello")
    first, second = [request.body["messages"] for request in provider.requests]
    assert "in a team with ann" in first[0]["content"]
    assert first[-1] == {"role": "user", "content": "say hello"}
    told = [(message["role"], message["content"]) for message in second[1:]]
    assert told == [
        ("user", "say hello"),
        ("assistant", "hello "),
        ("user", "ann: ann heard user say 'openai: hello '"),
    ]


@pytest.mark.usefixtures("watching")
async def test_stop_ends_all_of_it_whichever_turn_is_meant(alice: User) -> None:
    place = await in_thread(conversation_with, alice, "thinking")
    first = await in_thread(ask, alice, place, "Well?")
    await runner.take_turn(place)
    turn = asyncio.create_task(runner.take_turn(place))
    while not await Run.objects.filter(conversation=place, assistant="stuck", stored__gt=0).aexists():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await asyncio.wrap_future(runs.stop(user=alice, run=first))
    await turn
    found = await drained(place)
    assert [(run.assistant, run.status) for run in found] == [("ann", "completed"), ("stuck", "stopped")]
    late: Any = runs.stop(user=alice, run=found[-1])
    assert await in_thread(refusal, late) == "run_not_active"


async def test_a_turn_whose_worker_is_lost_is_taken_again_and_stands_there_once(alice: User) -> None:
    place = await in_thread(conversation_with, alice, "round")
    await in_thread(ask, alice, place, "Well?")
    await runner.take_turn(place)
    claim = await in_thread(lambda: runs.claim(conversation=place, worker="dead"))
    assert claim
    assert claim.assistant == "ben"
    await Run.objects.filter(id=claim.run).aupdate(lease_until=Now() - timedelta(seconds=1))
    await in_thread(sweeper.sweep)
    found = await drained(place)
    assert [(run.assistant, run.status, run.team and run.team["turn"]) for run in found] == [
        ("ann", "completed", 1), ("ben", "interrupted", 2), ("ben", "completed", 2), ("ann", "completed", 3)
    ]  # fmt: skip
    shown = [row async for row in Message.objects.shown().filter(conversation=place).order_by("seq")]
    assert [row.author_name for row in shown[1:]] == ["ann", "ben", "ann"]


async def test_a_turn_whose_workers_die_again_and_again_ends_the_team(alice: User) -> None:
    place = await in_thread(conversation_with, alice, "round")
    await in_thread(ask, alice, place, "Well?")
    for _ in range(TRIES):
        claim = await in_thread(lambda: runs.claim(conversation=place, worker="dead"))
        assert claim
        await Run.objects.filter(id=claim.run).aupdate(lease_until=Now() - timedelta(seconds=1))
        await in_thread(sweeper.sweep)
    found = await drained(place)
    assert [run.status for run in found] == ["interrupted"] * TRIES
    assert found[-1].team
    assert found[-1].team["why"] == f"interrupted {TRIES} times"


async def test_a_worker_that_is_stopped_leaves_the_turn_to_another(alice: User) -> None:
    place = await in_thread(conversation_with, alice, "thinking")
    await in_thread(ask, alice, place, "Well?")
    await runner.take_turn(place)
    turn = asyncio.create_task(runner.take_turn(place))
    while not await Run.objects.filter(conversation=place, assistant="stuck", stored__gt=0).aexists():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    turn.cancel()
    await turn
    queued = await Run.objects.aget(conversation=place, status="queued")
    assert (queued.assistant, queued.team and queued.team["tries"]) == ("stuck", 2)
    assert queued.branch_of


def test_rolling_back_takes_all_of_it_away(alice: User) -> None:
    place = conversation_with(alice, "round")
    messages.send(user=alice, conversation=place, text="First", cmid="1").result(30)
    claim = runs.claim(conversation=place, worker="test")
    assert claim
    assert claim.team
    asyncio.run(_speak_and_end(claim))
    messages.send(user=alice, conversation=place, text="Second", cmid="2", on_busy="rollback").result(30)
    shown = Message.objects.visible().filter(conversation=place)
    assert [row.author_name for row in shown] == ["Alice"]
    replayed(place)


async def _speak_and_end(claim: runs.Claim) -> None:
    turn = RunningTurn(claim)
    await turn.emit("I am Ann.")
    await turn.finish()
    await at_work.follow(turn, "completed")
    ended = runs.end(claim=claim, status="completed", text=turn.text, following=turn.following)
    await asyncio.wrap_future(ended)


def test_the_action_agents(as_alice: Api, alice: User, conversation: UUID) -> None:
    place = f"conversations/{conversation}/messages/"
    assert as_alice.post(place, {"text": "Discuss", "action": "agents"}).code == "invalid"
    named = as_alice.post(place, {"text": "@round Discuss", "action": "agents"})
    assert named.json["run"]["team"]["name"] == "round"
    with override_settings(DEFAULT_TEAM="over"):
        usual = as_alice.post(place, {"text": "Discuss", "action": "agents"})
        assert (usual.json["run"]["team"]["name"], usual.json["run"]["assistant"]) == ("over", "ann")
        first = as_alice.post("conversations/", {"message": {"text": "Discuss", "action": "agents"}})
        assert Run.objects.get(conversation=first.json["id"]).assistant == "ann"
    assert as_alice.post(place, {"text": "Hi", "action": "agents", "assistant": "ann"}).code == "invalid"
    replayed(conversation)


def test_nothing_follows_where_people_have_taken_over(alice: User) -> None:
    place = conversations.create(user=alice, assistant="round", message="Well?").result(30).conversation.id
    claim = runs.claim(conversation=place, worker="test")
    assert claim
    conversations.update(user=alice, conversation=place, changes={"status": "closed"}).result(30)
    asyncio.run(_speak_and_end(claim))
    [run] = Run.objects.filter(conversation=place)
    assert run.team
    assert run.team["why"] == "people have taken over"
    replayed(place)


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"members": ["ann"]}, "2 to 10"),
        ({"members": ["ann", "nobody"]}, "nobody"),
        ({"members": ["ann", "ben"], "next": "coordinator"}, "coordinator"),
        ({"members": ["ann", "ben"], "next": "rule"}, "rules"),
        ({"members": ["ann", "ben"], "next": "rule", "rules": [{"to": "cy"}]}, "members"),
        ({"members": ["ann", "ben"], "max_turns": 0}, "max_turns"),
        ({"members": ["ann", "round"]}, "round"),
    ],
)
def test_what_is_refused(config: dict[str, Any], word: str) -> None:
    with pytest.raises(Problem) as refused:
        kinds.check("round", "team", config, registry.asks)
    assert word in str(refused.value.errors)
