"""Assistants of the kind `fanout`, answered by the real runner."""

import asyncio
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib import prices
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations.assistants import kinds, registry, runner
from conversations.models import Run
from conversations.services import runs
from tests.api import Api
from tests.conversations.assistants.composing.cast import Hangs, cast
from tests.conversations.assistants.support import answered, ask, conversation_with, ending
from tests.conversations.assistants.test_turns import until
from tests.conversations.support import replayed
from tests.realtime.support import joined


def of(*members: str, **more: Any) -> dict[str, Any]:
    return {"kind": "fanout", "members": list(members), "seconds": 0.5, **more}


GROUPS: dict[str, Any] = {
    "all": of("echo", "yes", "no"),
    "parts": of("echo", "yes", "plain"),
    "first": of("hangs", "no", "silent", "fails", merge="first"),
    "partly": of("yes", "fails", "breaks", "hangs", "silent", "asks"),
    "votes": of("yes", "no", "yes2", merge="vote", choices=["yes", "no"]),
    "yes2": "tests.conversations.assistants.composing.cast.Yes",
    "summed": of("yes", "no", merge="summary", by="echo"),
    "unsummed": of("yes", "no", merge="summary", by="fails"),
    "hopeless": of("fails", "breaks"),
    "late": of("yes", "hangs", seconds=60, deadline=0.3),
    "stuck": of("hangs", "silent", seconds=60),
}


@pytest.fixture(autouse=True)
def groups() -> Iterator[None]:
    Hangs.ended.clear()
    with cast(**GROUPS):
        yield


async def gathered(user: User, name: str) -> tuple[Run, dict[str, Any]]:
    run = await answered(user, "Well?", await in_thread(conversation_with, user, name))
    await in_thread(replayed, run.conversation_id)
    return run, await ending(run)


def outcomes(run: Run) -> dict[str, str]:
    """What each member came to, by the steps that the run shows."""
    return {step["name"]: step["status"] for step in run.steps if step["kind"] == "plugin"}


async def test_all_in_sections_in_their_order_with_their_steps_below(alice: User) -> None:
    run, end = await gathered(alice, "all")
    assert end["text"] == "## echo\n\necho: Well?\n\n## yes\n\nYes.\n\n## no\n\nNo!"
    assert outcomes(run) == {"echo": "completed", "yes": "completed", "no": "completed"}
    steps = {step["name"]: step for step in run.steps}
    assert steps["listen"]["parent"] == steps["echo"]["step"]
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (11, 4)
    assert end["sources"] == [{"title": "Yes"}]


async def test_each_has_its_part_of_the_usage(alice: User, settings: Settings) -> None:
    """Told by itself, else counted here; priced by its model where it has no price of its own; and in the totals."""
    settings.PRICES = prices.read('{"gpt-4o-mini": {"input": 1, "output": 1}, "yes": {"input": 0, "output": 5}}')
    _, end = await gathered(alice, "parts")
    echo, plain, yes = sorted(end["usage"]["parts"], key=lambda one: str(one["assistant"]))
    assert (echo["input_tokens"], echo["cost"], echo.get("estimated")) == (10, "0.000013", None)
    assert (yes["cost"], "model" in yes) == ("0.000005", False)
    assert (plain["estimated"], plain["output_tokens"], plain["model"]) == (True, 4, "gpt-4o-mini")
    assert plain["input_tokens"] > 0
    whole = end["usage"]
    assert (whole["estimated"], whole["input_tokens"]) == (True, 11 + plain["input_tokens"])
    assert Decimal(whole["cost"]) == sum(Decimal(one["cost"]) for one in (echo, plain, yes))
    access = await in_thread(lambda: tokens.issue(alice)["access"])
    told = (await in_thread(Api(access).get, "usage/")).json
    assert {row["assistant"]: row["input_tokens"] for row in told["results"]} == {
        "echo": 10, "plain": plain["input_tokens"], "yes": 1,
    }  # fmt: skip
    assert told["total"]["cost"] == {"USD": whole["cost"]}


async def test_the_first_good_answer_is_enough_and_the_others_are_given_up(alice: User) -> None:
    _, end = await gathered(alice, "first")
    assert (end["status"], end["text"]) == ("completed", "No!")
    assert Hangs.ended == ["hangs"]


async def test_where_some_fail_the_rest_answers(alice: User) -> None:
    begun = time.monotonic()
    run, end = await gathered(alice, "partly")
    assert (end["status"], end["text"]) == ("completed", "## yes\n\nYes.")
    assert time.monotonic() - begun < 5
    assert len(outcomes(run)) == 6
    assert "secret" not in str(end)


@pytest.mark.usefixtures("realtime_layer")
async def test_the_room_is_told_who_is_missing_and_why(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "partly")
    async with joined(alice, conversation) as socket:
        run = await in_thread(ask, alice, conversation, "Well?")
        await runner.take_turn(conversation)
        told: dict[str, str] = {}
        while (frame := await socket.hear())["type"] != "run:end":
            if frame["type"] == "plugin:degraded":
                assert (frame["conversation"], frame["run"]) == (str(conversation), str(run.id))
                told[frame["plugin"]] = frame["reason"]
    assert told == {
        "fails": "provider_error", "breaks": "assistant_error", "hangs": "late", "silent": "empty",
        "asks": "nobody_to_ask",
    }  # fmt: skip


async def test_a_vote(alice: User) -> None:
    _, end = await gathered(alice, "votes")
    assert end["text"] == "yes\n\n(2/3)"


async def test_a_summary_by_another_one(alice: User) -> None:
    _, end = await gathered(alice, "summed")
    assert end["text"] == "echo: Well?\n\n## yes\n\nYes.\n\n## no\n\nNo!"
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (11, 4)


async def test_without_a_summary_there_are_the_answers(alice: User) -> None:
    _, end = await gathered(alice, "unsummed")
    assert (end["status"], end["text"]) == ("completed", "Half\n\n## yes\n\nYes.\n\n## no\n\nNo!")


async def test_where_all_fail_the_run_does(alice: User) -> None:
    _, end = await gathered(alice, "hopeless")
    assert (end["status"], end["error"]["code"]) == ("failed", "all_failed")


async def test_the_deadline_of_all(alice: User) -> None:
    begun = time.monotonic()
    _, end = await gathered(alice, "late")
    assert end["text"] == "## yes\n\nYes."
    assert time.monotonic() - begun < 5
    assert Hangs.ended == ["hangs"]


@pytest.mark.usefixtures("watching")
async def test_stop_ends_all_of_them(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice, "stuck")
    run = await in_thread(ask, alice, conversation)
    turn = asyncio.create_task(runner.take_turn(conversation))
    await until(lambda: Run.objects.filter(id=run.id, steps__0__name="hangs").exists())
    begun = time.monotonic()
    await asyncio.wrap_future(runs.stop(user=alice, run=run))
    await turn
    assert time.monotonic() - begun < 1
    assert Hangs.ended == ["hangs"]
    assert (await ending(run))["status"] == "stopped"


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"members": ["yes"]}, "2 to 10"),
        ({"members": ["yes", "yes"]}, "different"),
        ({"members": ["yes", "nobody"]}, "nobody"),
        ({"members": ["yes", "no"], "merge": "summary"}, "summarises"),
        ({"members": ["yes", "no"], "by": "echo"}, "summarises"),
        ({"members": ["yes", "no"], "merge": "best"}, "best"),
        ({"members": ["yes", "all"]}, "all, all"),
        ({"members": ["yes", "no"], "choices": ["a"]}, "vote"),
    ],
)
def test_what_is_refused(config: dict[str, Any], word: str) -> None:
    with pytest.raises(Problem) as refused:
        kinds.check("all", "fanout", config, registry.asks)
    assert word in str(refused.value.errors)
