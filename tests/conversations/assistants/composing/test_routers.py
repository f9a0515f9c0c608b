"""Assistants of the kind `router`, answered by the real runner."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations.assistants import kinds, registry, runner
from conversations.models import Run
from conversations.services import answering, conversations
from tests.api import Api
from tests.conversations.admin.conftest import clerk
from tests.conversations.assistants.composing.cast import cast
from tests.conversations.assistants.support import answered, ending
from tests.conversations.support import replayed

__all__ = ["clerk"]

DESK: dict[str, Any] = {
    "kind": "router",
    "default": "echo",
    "rules": [
        {"to": "yes", "keywords": ["refund"], "priority": 5},
        {"to": "no", "metadata": {"plan": ["free", "trial"]}, "priority": 9, "name": "not paying"},
        {"to": "asks", "keywords": ["approve"]},
        {"ask": "picks", "among": ["yes", "echo"], "language": "de"},
        {"ask": "undecided", "among": ["yes", "no"], "language": "zh"},
        {"ask": "fails", "among": ["yes", "no"], "language": "fr"},
        {"to": "plain", "keywords": ["plain words"]},
    ],
}


@pytest.fixture(autouse=True)
def desk() -> Iterator[None]:
    with cast(desk=DESK, hall={"kind": "router", "default": "desk"}):
        yield


async def routed(user: User, text: str, metadata: dict[str, Any] | None = None) -> tuple[Run, dict[str, Any]]:
    made = await in_thread(lambda: conversations.create(user=user, assistant="desk", metadata=metadata).result(30))
    run = await answered(user, text, made.conversation.id)
    await in_thread(replayed, made.conversation.id)
    return run, await ending(run)


def choice(run: Run) -> Any:
    """What the run shows of the choice."""
    from_log = [step for step in run.steps if step["name"] == "route"]
    return from_log[0]["status"]


@pytest.mark.parametrize(
    ("text", "metadata", "expected"),
    [
        ("A refund, please", None, "Yes."),
        ("A refund, please", {"plan": "free"}, "No!"),
        ("Hello there, how are you?", {"plan": "pro"}, "echo: Hello there, how are you?"),
        ("Wer kann mir bitte helfen?", None, "echo: Wer kann mir bitte helfen?"),
        ("谁能帮我", None, "echo: 谁能帮我"),
        ("Je ne peux pas payer", None, "echo: Je ne peux pas payer"),
    ],
)
async def test_rules_choose(alice: User, text: str, metadata: dict[str, Any] | None, expected: str) -> None:
    run, end = await routed(alice, text, metadata)
    assert (end["status"], end["text"]) == ("completed", expected)
    assert choice(run) == "completed"


async def test_what_the_choice_used_and_what_the_answer_used_is_one_bill(alice: User) -> None:
    _, end = await routed(alice, "Wer kann mir bitte helfen?")
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (15, 4)
    assert [part["assistant"] for part in end["usage"]["parts"]] == ["picks", "echo"]


async def test_who_tells_nothing_of_its_usage_is_counted_and_who_asks_no_model_is_not(
    alice: User, settings: Settings
) -> None:
    _, end = await routed(alice, "In plain words")
    (part,) = end["usage"]["parts"]
    assert (part["assistant"], part["estimated"], part["output_tokens"]) == ("plain", True, 4)
    settings.UNCOUNTED_ASSISTANTS = ["plain"]
    _, end = await routed(alice, "In plain words")
    assert end["usage"] is None


async def test_who_was_chosen_can_ask_a_person_and_goes_on(alice: User) -> None:
    run, _ = await _asked(alice)
    assert run.status == "waiting"
    step = next(one for one in run.steps if one["name"] == "ask")
    await in_thread(lambda: answering.answer(user=alice, run=run, step=step["step"], value=True).result(30))
    await runner.take_turn(run.conversation_id)
    end = await ending(run)
    assert (end["status"], end["text"]) == ("completed", "approved")
    run = await Run.objects.aget(id=run.id)
    assert [one["name"] for one in run.steps].count("route") == 1, "it is not chosen once more"


async def _asked(alice: User) -> tuple[Run, UUID]:
    made = await in_thread(lambda: conversations.create(user=alice, assistant="desk").result(30))
    return await answered(alice, "Please approve", made.conversation.id), made.conversation.id


async def test_a_router_may_lead_to_a_router(alice: User) -> None:
    made = await in_thread(lambda: conversations.create(user=alice, assistant="hall").result(30))
    run = await answered(alice, "A refund", made.conversation.id)
    assert (await ending(run))["text"] == "Yes."


async def test_a_circle_that_was_configured_all_the_same_fails_alone(alice: User) -> None:
    with cast(one={"kind": "router", "default": "two"}, two={"kind": "router", "default": "one"}):
        made = await in_thread(lambda: conversations.create(user=alice, assistant="one").result(30))
        end = await ending(await answered(alice, "Hello", made.conversation.id))
    assert (end["status"], end["error"]["code"]) == ("failed", "assistant_cycle")


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ({"default": "nobody"}, "nobody"),
        ({"default": "hall"}, "hall"),
        ({"default": "me"}, "me"),
        ({}, "default"),
        ({"default": "yes", "rules": [{"to": "yes", "ask": "picks", "among": ["no"]}]}, "either"),
        ({"default": "yes", "rules": [{"keywords": ["x"]}]}, "either"),
        ({"default": "yes", "rules": [{"to": "no", "language": "tlh"}]}, "language"),
        ({"default": "yes", "rules": [{"to": "no", "keyword": ["x"]}]}, "keyword"),
        ({"default": "yes", "rules": "x"}, "rules"),
    ],
)
def test_what_is_refused(config: dict[str, Any], word: str) -> None:
    """`hall` leads to `desk`, which is what is to be saved here."""
    with pytest.raises(Problem) as refused:
        kinds.check("desk" if word == "hall" else "me", "router", config, registry.asks)
    assert word in str(refused.value.errors)


def test_what_is_taken() -> None:
    config = {name: value for name, value in DESK.items() if name != "kind"}
    kinds.check("desk", "router", config, registry.asks)
    with pytest.raises(Problem):
        kinds.check("desk", "unheard-of", config, registry.asks)


def test_the_dry_run_over_the_api(as_alice: Api, alice: User) -> None:
    User.objects.filter(id=alice.id).update(is_staff=True)
    imagined = {"text": "A refund, please", "metadata": {"plan": "pro"}}
    found = as_alice.post("assistants/desk/route/", imagined).json
    assert (found["to"], found["asks"], found["why"]) == ("yes", None, "rule 1: one of refund")
    assert [(rule["rule"], rule["matched"]) for rule in found["rules"][:3]] == [
        ("not paying", False), ("rule 1", True), ("rule 3", None)
    ]  # fmt: skip
    assert found["rules"][0]["why"] == "metadata plan is not ['free', 'trial']"
    german = {"text": "Wer kann mir bitte helfen?"}
    dry = as_alice.post("assistants/desk/route/", german).json
    assert (dry["to"], dry["asks"], dry["language"]) == (None, "picks", "de")
    asked = as_alice.post("assistants/desk/route/", {**german, "ask": True}).json
    assert (asked["to"], asked["why"]) == ("echo", "rule 4: picks chose echo")
    assert as_alice.post("assistants/yes/route/", imagined).code == "not_found"
    assert as_alice.post("assistants/desk/route/", {"text": ""}).code == "invalid"


def test_the_dry_run_is_for_staff(as_alice: Api) -> None:
    assert as_alice.post("assistants/desk/route/", {"text": "Hello"}).code == "forbidden"


def test_the_dry_run_in_the_admin(clerk: Client) -> None:
    page = "/admin/conversations/run/routing/"
    assert "routing" in clerk.get("/admin/conversations/run/").content.decode()
    assert "desk" in clerk.get(page).content.decode()
    tried = clerk.post(page, {"router": "desk", "text": "A refund, please", "metadata": '{"plan": "free"}'})
    shown = tried.content.decode()
    assert "not paying: metadata plan" in shown
    assert "not looked at" in shown
    wrong = clerk.post(page, {"router": "desk", "text": "Hello", "metadata": "[1]"})
    assert wrong.status_code == 200
    assert "wrong" in wrong.content.decode()
