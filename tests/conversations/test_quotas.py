"""How many answers somebody may ask for."""

import pytest
from pytest_django import Settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import quotas
from conversations.integrity import repairing
from conversations.models import Run
from conversations.services import branches, conversations, runs
from tests.api import Api
from tests.conversations.assistants.support import ask, asked, conversation_with


def code_of(problem: pytest.ExceptionInfo[Problem]) -> str:
    return problem.value.code.name


def test_so_many_at_the_same_time(alice: User, bob: User, settings: Settings) -> None:
    settings.RUNS_PER_USER = 2
    place, claim = asked(alice)
    ask(alice, place)
    with pytest.raises(Problem) as refused:
        ask(alice, place)
    assert code_of(refused) == "quota_exceeded"
    assert refused.value.retry_after_ms
    ask(bob, conversation_with(bob))
    runs.end(claim=claim, status="completed", text="Hello.").result(10)
    assert ask(alice, place).requested_by == alice.id


def test_an_answer_anew_and_a_first_message_count_too(alice: User, settings: Settings) -> None:
    settings.RUNS_PER_USER = 1
    place, claim = asked(alice)
    runs.end(claim=claim, status="completed", text="Hello.").result(10)
    anew = branches.regenerate(user=alice, conversation=place, message=claim.message).result(10)
    assert Run.objects.get(id=anew.main["data"]["run"]).requested_by == alice.id
    for one in (
        lambda: branches.regenerate(user=alice, conversation=place, message=claim.message),
        lambda: conversations.create(user=alice, assistant="guide", message="Hello?"),
    ):
        with pytest.raises(Problem) as refused:
            one().result(10)
        assert code_of(refused) == "quota_exceeded"


def test_tokens_of_a_day(alice: User, as_alice: Api, settings: Settings) -> None:
    settings.TOKENS_PER_DAY = 100
    place, claim = asked(alice)
    usage = {"input_tokens": 70, "output_tokens": 30}
    runs.end(claim=claim, status="completed", text="Hello.", usage=usage).result(10)
    quotas._known.pop(alice.id)  # what was known before is believed for a few seconds
    answer = as_alice.post(f"conversations/{place}/messages/", {"text": "And now?"})
    assert (answer.status, answer.code) == (429, "quota_exceeded")
    assert 0 < int(answer.headers["Retry-After"]) <= 24 * 3600
    settings.TOKENS_PER_DAY = 0
    assert as_alice.post(f"conversations/{place}/messages/", {"text": "And now?"}).status == 201


def test_so_many_a_minute(alice: User, settings: Settings) -> None:
    settings.LIMIT_RUN = 1
    place = conversation_with(alice)
    ask(alice, place)
    with pytest.raises(Problem) as refused:
        ask(alice, place)
    assert code_of(refused) == "rate_limited"
    said = len(Run.objects.filter(conversation=place))
    assert said == 1


def test_the_same_message_again_counts_once(alice: User, as_alice: Api, settings: Settings) -> None:
    settings.LIMIT_RUN = 1
    place = conversation_with(alice)
    message = {"text": "Hello", "cmid": str(new_id())}
    first, again = (as_alice.post(f"conversations/{place}/messages/", message) for _ in range(2))
    assert (first.status, again.status, again.json["dup"]) == (201, 201, True)


def test_who_asked_is_derived_from_the_log(alice: User) -> None:
    place, claim = asked(alice)
    Run.objects.filter(id=claim.run).update(requested_by=None)
    repairing.rebuild(place)
    assert Run.objects.get(id=claim.run).requested_by == alice.id
