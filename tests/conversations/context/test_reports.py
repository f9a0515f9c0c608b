"""What a run was sent can be looked at for ever, as it was then."""

from typing import Any

import pytest

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations.assistants.base import AssistantError
from conversations.assistants.turn import RunningTurn
from conversations.context import building, reports, terms
from conversations.models import Run
from conversations.services import contexts, runs
from tests.api import Api
from tests.conversations.context.support import Talk
from tests.conversations.support import replayed

PROMPT = "You know everything about oranges."
Json = dict[str, Any]


def sent(talk: Talk, question: int, **given: Any) -> tuple[Run, Json]:
    """Claim the run of a question and make its context, as a turn does; the run, and what the model was told."""
    claim = runs.claim(conversation=talk.id, worker="test")
    assert claim
    made = building.build(talk.id, terms.for_assistant(None, system=PROMPT, **given), claim.reply_to)
    contexts.note_context(claim=claim, report=reports.stored(made, talk.id, claim.run))
    assert claim.reply_to == talk.message(question).id
    return Run.objects.get(id=claim.run), made.public()


def test_a_run_shows_exactly_what_it_was_sent(alice: User, as_alice: Api) -> None:
    talk = Talk(alice)
    talk.system("Be kind.")
    talk.exchange("How many?", "Seven.", ("count", {"what": "oranges"}, {"found": 7}))
    question = talk.ask("Really?")
    run, told = sent(talk, question)
    shown = as_alice.get(f"runs/{run.id}/context/")
    assert (shown.status, shown.json) == (200, told)
    assert [(one["role"], one["text"]) for one in told["messages"]] == [
        ("system", PROMPT),
        ("system", "Be kind."),
        ("user", "How many?"),
        ("assistant", ""),
        ("tool", '{"found":7}'),
        ("assistant", "Seven."),
        ("user", "Really?"),
    ]
    assert told["messages"][3]["call"]["arguments"] == '{"what":"oranges"}'


def test_what_became_of_the_messages_changes_nothing(alice: User, as_alice: Api) -> None:
    talk = Talk(alice)
    first = talk.say("Oranges are red.")
    gone = talk.say("Forget this one.")
    run, told = sent(talk, talk.ask("Are they? " * 300), max_tokens=120)
    talk.edit(first, "Oranges are orange.")
    talk.delete(gone)
    assert as_alice.get(f"runs/{run.id}/context/").json == told
    assert any(one.get("cut") for one in told["messages"])
    replayed(talk.id)
    assert as_alice.get(f"runs/{run.id}/context/").json == told


def test_summaries_are_shown_as_they_were(alice: User) -> None:
    talk = Talk(alice)
    talk.chatter(*(f"Ship number {n} carries oranges." for n in range(150)))
    run, told = sent(talk, talk.ask("And now?"), strategy="summary", max_tokens=600)
    assert told["summarised"]
    talk.edit(5, "No ships at all.")
    assert reports.public(run) == told


def test_the_report_holds_no_text(alice: User) -> None:
    talk = Talk(alice)
    talk.exchange("A secret?", "A secret!", ("secret", {"of": "secret"}, "secret"))
    run, _ = sent(talk, talk.ask("Another secret"))
    assert run.context
    stored = str(run.context)
    assert "secret" not in stored
    assert "oranges" not in stored
    assert run.context["counts"] == {"sent": 6, "left_out": 0, "summarised": 0}


def test_who_was_fenced_off_sends_nothing(alice: User) -> None:
    talk = Talk(alice)
    talk.ask("Well?")
    claim = runs.claim(conversation=talk.id, worker="test")
    assert claim
    runs.stop(user=alice, run=Run.objects.get(id=claim.run)).result(30)
    with pytest.raises(Problem, match="run_not_active"):
        contexts.note_context(claim=claim, report={})


async def test_a_question_that_was_deleted_is_not_sent(alice: User) -> None:
    talk = await in_thread(Talk, alice)
    await in_thread(talk.say, "Something else.")
    question = await in_thread(talk.ask, "Nobody is to see this")
    claim = await in_thread(lambda: runs.claim(conversation=talk.id, worker="test"))
    assert claim
    await in_thread(talk.delete, question)
    with pytest.raises(AssistantError, match="message_deleted"):
        await RunningTurn(claim).context()
    assert (await Run.objects.aget(id=claim.run)).context is None


def test_a_run_that_was_sent_nothing_says_so(alice: User, as_alice: Api) -> None:
    talk = Talk(alice)
    talk.ask("Well?")
    answer = as_alice.get(f"runs/{Run.objects.get(conversation=talk.id).id}/context/")
    assert (answer.status, answer.json["messages"], answer.json["model"]) == (200, [], None)


def test_what_would_be_sent_now(alice: User, as_alice: Api) -> None:
    talk = Talk(alice)
    for n in range(30):
        talk.say(f"This is message number {n}, which says next to nothing.")
    shown = as_alice.get(f"conversations/{talk.id}/context/?model=gpt-4&max_tokens=200&strategy=recent").json
    assert (shown["model"], shown["strategy"], shown["max_tokens"]) == ("gpt-4", "recent", 200)
    assert shown["tokens"] == 3 + sum(one["tokens"] for one in shown["messages"]) <= 200
    assert [one["seq"] for one in shown["messages"]][-1] == 31
    left = [one["seq"] for one in shown["left_out"]]
    assert sorted(left + [one["seq"] for one in shown["messages"]]) == list(range(2, 32))
    assert {one["reason"] for one in shown["left_out"]} == {"budget"}
    few = as_alice.get(f"conversations/{talk.id}/context/?max_messages=10").json
    assert (few["model"], few["strategy"], few["max_tokens"]) == ("gpt-4o-mini", "window", 4000)
    assert len(few["messages"]) == 8


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("strategy=best", "strategy"),
        ("max_tokens=0", "max_tokens"),
        ("max_tokens=63", "max_tokens"),
        ("max_tokens=many", "max_tokens"),
        ("max_tokens=99999999", "max_tokens"),
        ("max_messages=0", "max_messages"),
        ("max_messages=1001", "max_messages"),
        ("max_messages=-1", "max_messages"),
        ("model=", "model"),
        ("model=" + "m" * 101, "model"),
        ("model=%0A", "model"),
    ],
)
def test_bad_terms_are_refused(alice: User, as_alice: Api, query: str, field: str) -> None:
    answer = as_alice.get(f"conversations/{Talk(alice).id}/context/?{query}")
    assert (answer.status, answer.code, list(answer.json["errors"])) == (400, "invalid", [field])


def test_strangers_see_nothing(alice: User, as_mallory: Api) -> None:
    assert as_mallory.get(f"conversations/{Talk(alice).id}/context/").code == "not_found"
