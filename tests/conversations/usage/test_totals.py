"""Usage, added up: one's own, and everybody's for who may see it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib import clock, metrics, prices
from conversations.models import Run
from conversations.selectors.usage import usage
from conversations.services import runs
from conversations.usage.tokens import Usage, added, part
from tests.api import Api
from tests.conversations.admin.conftest import new_staff
from tests.conversations.assistants.support import asked

TODAY = clock.now().date().isoformat()


@pytest.fixture(autouse=True)
def _priced(settings: Settings) -> None:
    settings.PRICES = prices.read('{"guide": {"input": 1, "output": 2}}')


def took(user: User, **given: Any) -> Run:
    """A run that `user` asked for, and that took this."""
    _, claim = asked(user)
    runs.end(claim=claim, status="completed", text="Hello.", usage=given or None).result(10)
    return Run.objects.get(id=claim.run)


def theirs(assistant: str, tokens: int, **more: Any) -> Usage | None:
    """What another assistant took."""
    return part(assistant, {"input_tokens": tokens, "output_tokens": 0, **more})


def together(*usages: Usage | None) -> Usage:
    return added(*usages) or {}


def test_my_own_by_assistant_and_day(alice: User, bob: User, as_alice: Api) -> None:
    took(alice, input_tokens=1000, output_tokens=500, cached_tokens=200)
    took(alice, input_tokens=1000, output_tokens=0, estimated=True)
    took(alice)
    took(bob, input_tokens=77, output_tokens=7)
    total = {
        "runs": 3, "estimated": 1, "input_tokens": 2000, "output_tokens": 500, "cached_tokens": 200,
        "cost": {"USD": "0.003"},
    }  # fmt: skip
    answer = as_alice.get("usage/")
    assert (answer.status, answer.json["total"]) == (200, total)
    assert answer.json["results"] == [{"assistant": "guide", **total}]
    days = as_alice.get(f"usage/?group=day&from={TODAY}&to={TODAY}").json
    assert days["results"] == [{"day": TODAY, **total}]
    assert as_alice.get("usage/?group=user").json["results"] == [{"user": str(alice.id), **total}]


def test_what_others_took_for_one_is_theirs(alice: User, as_alice: Api, settings: Settings) -> None:
    """By assistant, each has its own part; runs are counted once in the whole."""
    settings.PRICES = prices.read(
        '{"guide": {"input": 1, "output": 2}, "euro": {"input": 3, "output": 3, "currency": "EUR"}}'
    )
    took(alice, **together({"input_tokens": 1, "output_tokens": 1}, theirs("euro", 1000)))
    took(alice, **together(*[theirs("euro", 10, estimated=True)] * 2))
    took(alice, input_tokens=5, output_tokens=5)
    answer = as_alice.get("usage/").json
    rows = {row.pop("assistant"): row for row in answer["results"]}
    assert {name: (row["runs"], row["estimated"], row["input_tokens"], row["cost"]) for name, row in rows.items()} == {
        "euro": (2, 1, 1020, {"EUR": "0.00306"}),
        "guide": (2, 0, 6, {"USD": "0.000018"}),
    }
    whole = answer["total"]
    assert (whole["runs"], whole["estimated"], whole["input_tokens"], whole["output_tokens"]) == (3, 1, 1026, 6)
    assert whole["cost"] == {"EUR": "0.00306", "USD": "0.000018"}
    [day] = as_alice.get(f"usage/?group=day&from={TODAY}&to={TODAY}").json["results"]
    assert day == {"day": TODAY, **whole}


def test_other_days_are_not_in_it(alice: User, as_alice: Api) -> None:
    run = took(alice, input_tokens=10, output_tokens=1)
    Run.objects.filter(id=run.id).update(queued_at=clock.now() - timedelta(days=40))
    assert as_alice.get("usage/").json["total"]["runs"] == 0
    then = (clock.now() - timedelta(days=40)).date().isoformat()
    assert as_alice.get(f"usage/?from={then}&to={then}").json["total"]["runs"] == 1


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "to=2026-13-01", "from=2026-11-02&to=2026-11-01", "from=2000-01-01&to=2026-01-01",
     "from=2026-11-01T10:00:00", "to=9999-12-31", "from=0001-01-01T00:00:00%2B14:00", "group=password", "of=them"],
)  # fmt: skip
def test_a_wrong_question_is_invalid(as_alice: Api, query: str) -> None:
    assert (as_alice.get(f"usage/?{query}").status, as_alice.get(f"usage/?{query}").code) == (400, "invalid")


def test_everybodys_is_for_who_may_see_it(alice: User, bob: User, as_alice: Api) -> None:
    took(alice, input_tokens=10, output_tokens=1)
    took(bob, input_tokens=20, output_tokens=2)
    assert as_alice.get("usage/?of=all").code == "forbidden"
    clerk = Api(tokens.issue(new_staff("Clerk"))["access"])
    assert clerk.get("usage/?of=all").code == "forbidden"
    auditor = Api(tokens.issue(new_staff("Auditor", "view_usage"))["access"])
    rows = {row["user"]: row["input_tokens"] for row in auditor.get("usage/?of=all&group=user").json["results"]}
    assert {rows[str(alice.id)], rows[str(bob.id)]} == {10, 20}
    assert auditor.get("usage/").json["total"]["runs"] == 0


def test_what_is_no_number_counts_nothing(alice: User, as_alice: Api) -> None:
    """An imported log may say anything."""
    strange = {"input_tokens": "many", "output_tokens": None, "cost": "free", "currency": "USD"}
    parts: list[Any] = [1, None, [], {"input_tokens": "y"}]
    given: Any
    for given in (strange, [1], "x", 5, {"parts": "x"}, {"parts": []}, {"parts": parts}):
        run = took(alice, input_tokens=1, output_tokens=1)
        Run.objects.filter(id=run.id).update(usage=given)
    answer = as_alice.get("usage/")
    assert answer.status == 200
    assert (answer.json["total"]["input_tokens"], answer.json["total"]["cost"]) == (0, {"USD": "0"})


def test_metrics_count_it(alice: User) -> None:
    before = metrics.tokens.labels("guide", "input")._value.get(), metrics.cost.labels("guide", "USD")._value.get()
    took(alice, input_tokens=1000, output_tokens=0)
    assert metrics.tokens.labels("guide", "input")._value.get() == before[0] + 1000
    assert metrics.cost.labels("guide", "USD")._value.get() == pytest.approx(before[1] + 0.001)


def test_metrics_count_parts_for_their_assistants_that_are_here(alice: User) -> None:
    guide, other = (metrics.tokens.labels(name, "input") for name in ("guide", "echo"))
    before = guide._value.get(), other._value.get()
    with override_settings(ASSISTANTS={**django.ASSISTANTS, "echo": "tests.nowhere.Echo"}):
        took(alice, **together(theirs("echo", 10), theirs("made up", 10)))
    assert (guide._value.get(), other._value.get()) == (before[0] + 10, before[1] + 10)


@pytest.mark.parametrize("mine", [True, False])
def test_an_index_finds_the_runs(alice: User, *, mine: bool) -> None:
    """What PostgreSQL does with the real query, where it may not just read the table."""
    took(alice, input_tokens=1, output_tokens=1)
    with CaptureQueriesContext(connection) as captured:
        user = alice.id if mine else None
        usage(begin=clock.now() - timedelta(days=1), end=clock.now(), group="assistant", user=user)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + captured[-1]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert re.search(r"Index Cond: .*queued_at >= .*queued_at < ", plan), plan
