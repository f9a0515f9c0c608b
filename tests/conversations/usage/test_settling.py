"""What runs took and cost, however they ended."""

import asyncio

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from pytest_django import Settings

from accounts.models import User
from chatproject.lib import prices
from chatproject.lib.threads import in_thread
from conversations.assistants import runner
from conversations.assistants.base import Turn
from conversations.models import Run
from conversations.services import answering, runs
from conversations.usage.tokens import added, cleaned, part
from tests.conversations.assistants.conftest import provider, watching
from tests.conversations.assistants.support import answered, ask, asked, conversation_with, ending
from tests.conversations.assistants.test_turns import until
from tests.conversations.support import replayed
from tests.provider import Provider

__all__ = ["provider", "watching"]
PRICES = prices.read(
    '{"gpt-4o-mini": {"input": 0.15, "cached": 0.075, "output": 0.6}, "guide": {"input": 1, "output": "2"}}'
)
MINI, GUIDE = (PRICES[name].version for name in ("gpt-4o-mini", "guide"))


@pytest.fixture(autouse=True)
def _priced(settings: Settings) -> None:
    settings.PRICES = PRICES


async def test_what_a_provider_says_has_a_price(alice: User, provider: Provider) -> None:
    run = await answered(alice, "say hello")
    cost = {"cost": "0.00000585", "currency": "USD", "prices": MINI}
    assert run.usage == {"input_tokens": 11, "output_tokens": 7} | cost
    assert (await ending(run))["usage"] == run.usage


async def test_a_price_of_later_changes_nothing(alice: User, provider: Provider, settings: Settings) -> None:
    run = await answered(alice, "say hello")
    settings.PRICES = prices.read('{"gpt-4o-mini": {"input": 15, "output": 60}}')
    again = await answered(alice, "say hello", run.conversation_id)
    await run.arefresh_from_db()
    assert run.usage
    assert again.usage
    assert (run.usage["cost"], again.usage["cost"]) == ("0.00000585", "0.000585")
    assert run.usage["prices"] == MINI != again.usage["prices"]


async def test_without_a_price_there_are_tokens(alice: User, provider: Provider, settings: Settings) -> None:
    settings.PRICES = {}
    assert (await answered(alice, "say hello")).usage == {"input_tokens": 11, "output_tokens": 7}


async def test_an_answer_that_breaks_off_is_counted_here(alice: User, provider: Provider) -> None:
    run = await answered(alice, "cut 3")
    assert run.status == "failed"
    assert run.usage
    assert run.context
    counted = {"input_tokens": run.context["tokens"], "output_tokens": 7, "estimated": True}
    assert {name: run.usage[name] for name in counted} == counted
    assert run.usage["cost"] == f"{PRICES['gpt-4o-mini'].of(run.context['tokens'], 0, 7).normalize():f}"


@pytest.mark.parametrize("script", ["status 429", "status 500"])
@override_settings(PROVIDER_WAIT_SECONDS=0)
async def test_a_call_that_is_refused_costs_nothing(alice: User, provider: Provider, script: str) -> None:
    assert (await answered(alice, script)).usage is None


async def test_a_stopped_answer_costs_what_came(alice: User, provider: Provider, watching: None) -> None:
    place = await in_thread(conversation_with, alice, "openai")
    run = await in_thread(ask, alice, place, "slow 50 20")
    turn = asyncio.create_task(runner.take_turn(place))
    await until(lambda: Run.objects.get(id=run.id).stored)
    await asyncio.wrap_future(await in_thread(lambda: runs.stop(user=alice, run=run)))
    await turn
    await run.arefresh_from_db()
    end = await ending(run)
    assert run.status == "stopped"
    assert run.usage == end["usage"]
    assert end["usage"]["estimated"]
    assert 0 < end["usage"]["output_tokens"] == end["tokens"]["o200k_base"]
    assert end["usage"]["input_tokens"] > 0
    assert "cost" in end["usage"]


def test_a_run_that_is_lost_and_asked_for_again_counts_twice(alice: User) -> None:
    place, claim = asked(alice)
    runs.step(claim=claim, data=step(usage={"input_tokens": 30, "output_tokens": 5})).result(10)
    lost = Run.objects.get(id=claim.run)
    runs.interrupt(run=lost, is_dead=lambda _: True).result(10)
    lost.refresh_from_db()
    assert lost.usage == {"input_tokens": 30, "output_tokens": 5, "cost": "0.00004", "currency": "USD", "prices": GUIDE}
    _, claim = asked(alice, place)
    runs.end(claim=claim, status="completed", text="Done.", usage={"input_tokens": 30, "output_tokens": 9}).result(10)
    assert Run.objects.get(id=claim.run).usage["cost"] == "0.000048"  # type: ignore[index]
    replayed(place)


class Asks:
    """Takes tokens, asks, and takes tokens once more."""

    async def answer(self, turn: Turn) -> None:
        async with turn.step("tool", "look") as looking:
            if not looking.done:
                turn.usage = {"input_tokens": 100, "output_tokens": 1}
        if await turn.ask("approval", {"title": "Go on?"}):
            turn.usage = {"input_tokens": 200, "output_tokens": 2}
            await turn.emit("Done.")


async def test_what_was_taken_before_a_question_is_added(alice: User, settings: Settings) -> None:
    settings.ASSISTANTS = settings.ASSISTANTS | {"guide": f"{__name__}.Asks"}
    place = await in_thread(conversation_with, alice)
    run = await in_thread(ask, alice, place)
    await runner.take_turn(place)
    await run.arefresh_from_db()
    assert (run.status, run.usage) == ("waiting", {"input_tokens": 100, "output_tokens": 1})
    given = await in_thread(lambda: answering.answer(user=alice, run=run, step=run.steps[-1]["step"], value=True))
    await asyncio.wrap_future(given)
    await runner.take_turn(place)
    await run.arefresh_from_db()
    assert run.usage == {
        "input_tokens": 300, "output_tokens": 3, "cost": "0.000306", "currency": "USD", "prices": GUIDE,
    }  # fmt: skip
    await in_thread(replayed, place)


def test_several_assistants_have_a_price_each(alice: User, settings: Settings) -> None:
    _, claim = asked(alice)
    theirs = part("gpt-4o-mini", {"input_tokens": 1_000_000, "output_tokens": 0})
    usage = added(theirs, {"input_tokens": 1_000_000, "output_tokens": 0})
    runs.end(claim=claim, status="completed", text="Done.", usage=usage).result(10)
    found = Run.objects.get(id=claim.run).usage
    assert found
    assert (found["input_tokens"], found["cost"], found["prices"]) == (2_000_000, "1.15", f"{MINI},{GUIDE}")
    told = [(one["assistant"], one["input_tokens"], one["cost"]) for one in found["parts"]]
    assert told == [("gpt-4o-mini", 1_000_000, "0.15"), ("guide", 1_000_000, "1")]


def test_a_part_without_a_price_leaves_the_others_theirs(alice: User, settings: Settings) -> None:
    _, claim = asked(alice)
    theirs = part("gpt-4o-mini", {"input_tokens": 1_000_000, "output_tokens": 0})
    usage = added(theirs, part("priceless", {"input_tokens": 5, "output_tokens": 0}))
    runs.end(claim=claim, status="completed", text="Done.", usage=usage).result(10)
    found = Run.objects.get(id=claim.run).usage
    assert found
    assert "cost" not in found
    assert [one.get("cost") for one in found["parts"]] == ["0.15", None]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"input_tokens": -5, "output_tokens": "x", "cached_tokens": True}, dict.fromkeys(
            ("input_tokens", "output_tokens", "cached_tokens"), 0)),
        ({"input_tokens": 10**30, "cost": "0", "currency": "USD", "prices": "x"}, {"input_tokens": 10**12}),
        ({"model": "m", "long": "x" * 101, "nested": {"a": 1}}, {"model": "m"}),
        ([1, 2], None),
        ("much", None),
    ],
)  # fmt: skip
def test_what_an_assistant_says_is_made_safe(given: object, kept: object) -> None:
    assert cleaned(given) == kept


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"m": 1}',
        '{"m": {"input": 1}}',
        '{"m": {"input": -1, "output": 1}}',
        '{"m": {"input": "x", "output": 1}}',
        '{"m": {"input": 1, "output": 1, "per": 1000}}',
        '{"m": {"input": 1, "output": 1, "currency": ""}}',
    ],
)
def test_a_wrong_table_stops_the_start_and_says_why(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PRICES must be JSON such as"):
        prices.read(text)


def step(**more: object) -> dict[str, object]:
    return {"step": "s", "kind": "tool", "name": "look", "status": "completed", "output": "seen", **more}
