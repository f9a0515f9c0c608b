"""Contexts of real conversations: what holds whatever the strategy, and what a context is made of."""

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from conversations.assistants import summarising
from conversations.context import base, building, terms, tokens
from conversations.context.result import Context
from conversations.integrity import inspecting
from conversations.models import Message
from tests.conversations.context.support import Talk

PROMPT = "You are a patient teacher of history."
WORDS = [
    "The",
    "treaty",
    "of",
    "Westphalia",
    "ended",
    "a",
    "war",
    "of",
    "thirty",
    "years",
    "in",
    "sixteen",
    "forty-eight",
    ".",
    "",
]

TURN = st.sampled_from(["say", "exchange", "exchange", "tools", "system", "pinned", "deleted"])


def words(count: int) -> str:
    return " ".join(WORDS[n % len(WORDS)] for n in range(count))


def context(talk: Talk, asked: int | None = None, **given: Any) -> Context:
    wanted = terms.for_assistant(None, system=PROMPT, **given)
    return building.build(talk.id, wanted, talk.message(asked).id if asked else None)


def texts(made: Context) -> list[str]:
    return [line.text for line in made.lines]


def fill(talk: Talk, turns: list[tuple[str, int]]) -> None:
    for kind, length in turns:
        if kind == "exchange":
            talk.exchange(words(length), words(length // 2))
        elif kind == "tools":
            talk.exchange(words(length), "Done.", ("look", {"q": words(3)}, words(length)), ("add", [1, 2], 3))
        elif kind == "system":
            talk.system(words(length))
        else:
            seq = talk.say(words(length))
            {"say": lambda _: None, "pinned": talk.pin, "deleted": talk.delete}[kind](seq)


@pytest.mark.parametrize("strategy", base.names())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    turns=st.lists(st.tuples(TURN, st.sampled_from([1, 5, 40, 300])), max_size=8),
    last=st.sampled_from([1, 30, 900]),
    max_tokens=st.sampled_from([64, 100, 300, 1000, 4000]),
    max_messages=st.sampled_from([1, 3, 10, 100]),
)
def test_what_holds_always(
    alice: User, strategy: str, turns: list[tuple[str, int]], last: int, max_tokens: int, max_messages: int
) -> None:
    talk = Talk(alice)
    fill(talk, turns)
    asked = talk.ask(words(last))
    talk.say("Behind the question.")
    budget = {"strategy": strategy, "max_tokens": max_tokens, "max_messages": max_messages}
    made = context(talk, asked, **budget)

    # The budget, counted anew from what is sent.
    assert made.tokens == tokens.PRIMING + sum(line.tokens for line in made.lines) <= max_tokens
    for line in made.lines:
        if line.call is None:
            assert line.tokens == tokens.count(line.text, "o200k_base") + tokens.PER_MESSAGE
    # System prompt first, the question last, each whole or cut with a mark.
    assert_begins(made.lines[0].text, PROMPT)
    assert (made.lines[-1].seq, made.lines[-1].role) == (asked, "user")
    assert_begins(made.lines[-1].text, words(last))
    # The order of the conversation; each tool call in front of its result.
    order = [line.seq for line in made.lines if line.seq]
    assert order == sorted(order)
    calls = [line.call.id for line in made.lines if line.call and line.role == "assistant"]
    results = [line.call.id for line in made.lines if line.call and line.role == "tool"]
    assert calls == results
    for call, result in zip(made.lines, made.lines[1:], strict=False):
        assert (call.call is not None and call.role == "assistant") == (result.role == "tool")
    # Every message that can be sent is sent, summarised, or left out for a reason.
    rows = Message.objects.visible().filter(conversation=talk.id, anchor__lt=asked)
    covered = {seq for one in made.summarised for seq in range(one.from_seq, one.to_seq + 1)}
    left = {row.seq for row in rows if row.anchor not in covered and row.tokens["o200k_base"]} - set(order)
    assert left == made.left_out.keys()
    # The same again.
    assert context(talk, asked, **budget).public() == made.public()


def assert_begins(shown: str, text: str) -> None:
    assert shown == text or text.startswith(shown.removesuffix(" […]"))


def test_an_answer_stands_behind_what_it_answers(alice: User) -> None:
    """Two questions wait; each answer stands behind its question, and later ones are not seen."""
    talk = Talk(alice)
    first, second = talk.ask("One?"), talk.ask("Two?")
    talk.say("By the way")
    assert texts(context(talk, first)) == [PROMPT, "One?"]
    talk.answer(first, "1!")
    assert texts(context(talk, second)) == [PROMPT, "One?", "1!", "Two?"]
    assert texts(context(talk, second, strategy="recent", max_messages=2)) == [PROMPT, "1!", "Two?"]
    talk.answer(second, "2!")
    assert texts(context(talk)) == [PROMPT, "One?", "1!", "Two?", "2!", "By the way"]


def test_only_what_stands_is_sent(alice: User) -> None:
    talk = Talk(alice)
    talk.delete(talk.say("Nobody saw this"))
    edited = talk.say("Helo")
    talk.edit(edited, "Hello")
    assert texts(context(talk)) == [PROMPT, "Hello"]
    assert texts(context(Talk(alice))) == [PROMPT]


def test_what_is_larger_than_the_budget_is_cut_with_a_mark(alice: User) -> None:
    talk = Talk(alice)
    talk.system(words(500))
    talk.say(words(500))
    made = context(talk, max_tokens=100).public()
    assert [(one["role"], one.get("cut", False)) for one in made["messages"]] == [
        ("system", False), ("system", True), ("user", True),
    ]  # fmt: skip
    assert all(one["text"].endswith(" […]") for one in made["messages"] if one.get("cut"))
    assert made["tokens"] <= 100


def test_the_conversations_own_system_messages_are_there_under_every_strategy(alice: User) -> None:
    talk = Talk(alice)
    talk.system("Speak like a pirate.")
    for _ in range(20):
        talk.exchange(words(60), words(60))
    for strategy in base.names():
        assert texts(context(talk, strategy=strategy, max_tokens=500))[1] == "Speak like a pirate."


def test_a_conversation_in_chinese_is_counted_as_it_is(alice: User) -> None:
    talk = Talk(alice)
    talk.say("世" * 32_000)
    made = context(talk)
    assert made.tokens <= 4000
    assert made.lines[-1].text.startswith("世世")


def test_another_encoding_is_counted_once(alice: User) -> None:
    """`gpt-4` counts differently; what was counted stays with the message, unless its text changes."""
    talk = Talk(alice)
    seq = talk.say("お誕生日おめでとう")
    assert context(talk, model="gpt-4").lines[-1].tokens == 9 + tokens.PER_MESSAGE
    talk.say("And now?")
    context(talk, model="gpt-4")
    assert talk.message(seq).tokens == {"o200k_base": 8, "cl100k_base": 9}
    assert inspecting.inspect(talk.id).findings == []
    talk.edit(seq, "Hello")
    assert talk.message(seq).tokens == {"o200k_base": 1}


def test_texts_of_before_tokens_were_counted(alice: User) -> None:
    talk = Talk(alice)
    seq = talk.say("hello world")
    talk.say("And now?")
    Message.objects.filter(conversation=talk.id).update(tokens={})
    assert texts(context(talk)) == [PROMPT, "hello world", "And now?"]
    assert talk.message(seq).tokens == {"o200k_base": 2}


@pytest.mark.parametrize("strategy", base.names())
def test_a_long_past_costs_no_more_than_a_short_one(alice: User, strategy: str) -> None:
    """Rows read, by the database's own count: what lies behind the window is never looked at."""
    talk = Talk(alice)
    talk.chatter(*[words(60)] * 150)
    talk.exchange(words(30), words(30))
    settle(talk, strategy)
    few = queries(talk, strategy)
    talk.chatter(*[words(60)] * 1500)
    talk.exchange(words(30), words(30))
    settle(talk, strategy)
    many = queries(talk, strategy)
    # A larger past may take one summary more to read, never a message.
    assert len(many) <= len(few) + 2
    assert rows_read(many) <= rows_read(few) * 1.2 + 10


def settle(talk: Talk, strategy: str) -> None:
    """Have everything summarised that can be, as the background does."""
    context(talk, strategy=strategy)
    asyncio.run(summarising.summarise(talk.id))


def queries(talk: Talk, strategy: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        context(talk, strategy=strategy)
    return [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]


def rows_read(statements: list[str]) -> int:
    """Rows that all scans of these statements look at."""
    total = 0
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_message")
        for sql in statements:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
            total += _rows(cursor.fetchone()[0][0]["Plan"])
    return total


def _rows(plan: dict[str, Any]) -> int:
    """Those that a plan's scans return and throw away."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if "Scan" in plan["Node Type"] else 0
    return int(own * plan["Actual Loops"]) + sum(map(_rows, plan.get("Plans", ())))
