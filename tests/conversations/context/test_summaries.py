"""Summaries: made once, kept by the range that they cover, thrown away when that changes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.models import User
from conversations import selectors
from conversations.assistants import summarising
from conversations.assistants.base import Turn
from conversations.context import building, digests, terms, tokens
from conversations.context.digests import Made
from conversations.context.extract import _sentences, extract
from conversations.context.ranges import Range
from conversations.context.result import Context
from conversations.models import Summary
from conversations.services import contexts
from tests.conversations.context.support import Talk
from tests.conversations.support import replayed

ENCODING = "o200k_base"


def context(talk: Talk, max_tokens: int = 800) -> Context:
    return building.build(talk.id, terms.for_assistant(None, strategy="summary", max_tokens=max_tokens))


def summaries(talk: Talk) -> list[tuple[int, int]]:
    rows = Summary.objects.filter(conversation=talk.id).order_by("from_seq", "to_seq")
    return list(rows.values_list("from_seq", "to_seq"))


def summarise(talk: Talk) -> None:
    asyncio.run(summarising.summarise(talk.id))


@pytest.fixture
def talk(alice: User) -> Talk:
    """Over 300 messages, each of which can be told from the others."""
    made = Talk(alice)
    made.chatter(*(f"Ship number {n} carries {n} tons of oranges to Lisbon." for n in range(2, 302)))
    return made


def test_older_turns_are_summarised_and_kept_by_their_range(talk: Talk) -> None:
    made = context(talk)
    assert made.tokens <= 800
    covered = [(one.from_seq, one.to_seq) for one in made.summarised]
    assert covered
    assert made.lines[0].text.startswith(f"Summary of what was said earlier (messages {covered[0][0]} to")
    assert "oranges" in made.lines[0].text
    stored = summaries(talk)
    assert set(stored) >= {one for one in covered if one[1] - one[0] == 31}
    assert context(talk).public() == made.public()
    assert summaries(talk) == stored


def test_summaries_are_made_once(talk: Talk) -> None:
    summarise(talk)
    before = set(Summary.objects.filter(conversation=talk.id).values_list("id", flat=True))
    assert (1, 128) in summaries(talk)
    summarise(talk)
    context(talk)
    assert set(Summary.objects.filter(conversation=talk.id).values_list("id", flat=True)) >= before


def test_nothing_of_a_summary_is_stored_in_clear(talk: Talk) -> None:
    summarise(talk)
    assert "Lisbon" not in str(list(Summary.objects.filter(conversation=talk.id).values()))


@pytest.mark.parametrize("change", ["edit", "delete"])
def test_what_covers_a_changed_message_is_forgotten(talk: Talk, change: str) -> None:
    summarise(talk)
    before = summaries(talk)
    talk.edit(40, "All ships are in the harbour.") if change == "edit" else talk.delete(40)
    gone = set(before) - set(summaries(talk))
    assert gone == {(33, 64), (1, 128)}
    summarise(talk)
    assert set(summaries(talk)) >= gone
    replayed(talk.id)


def test_another_answer_to_an_old_question_is_forgotten_too(alice: User) -> None:
    talk = Talk(alice)
    question, answer = talk.exchange("Which ship is first?", "The Santa Maria.")
    talk.chatter(*["Ok."] * 200)
    summarise(talk)
    assert (1, 32) in summaries(talk)
    talk.regenerated(question, answer, "The Mayflower.")
    assert (1, 32) not in summaries(talk)
    summarise(talk)
    row = selectors.summaries(talk.id, [Range(0, 0)])[Range(0, 0)]
    assert "Mayflower" in digests.opened(row)
    assert "Santa Maria" not in digests.opened(row)


def test_a_summary_of_what_was_edited_meanwhile_is_refused(talk: Talk) -> None:
    head = selectors.head(talk.id)[1]
    talk.edit(5, "Something else.")
    one = Made(Range(0, 0), "Ships and oranges.")
    assert not contexts.store_summary(conversation=talk.id, made=one, head=head)
    assert contexts.store_summary(conversation=talk.id, made=one, head=selectors.head(talk.id)[1])


def test_a_range_into_which_an_answer_is_still_to_come_is_not_kept(alice: User) -> None:
    talk = Talk(alice)
    question = talk.ask("How many ships?")
    talk.chatter(*["Waiting."] * 200)
    summarise(talk)
    assert (1, 32) not in summaries(talk)
    assert (33, 64) in summaries(talk)
    talk.answer(question, "Seven.")
    summarise(talk)
    assert (1, 32) in summaries(talk)


class Historian:
    """Writes summaries in its own words."""

    told: list[str] = []

    async def answer(self, turn: Turn) -> None:
        lines = (await turn.context()).lines
        self.told.append(lines[-1].text)
        assert lines[0].text.startswith("Summarise")
        await turn.emit("Many ships " + "sailed " * 1000)


@pytest.fixture
def historian() -> Iterator[type[Historian]]:
    Historian.told = []
    path = f"{__name__}.Historian"
    with override_settings(ASSISTANTS={"historian": path}, CONTEXT_SUMMARISER="historian"):
        yield Historian


def test_an_assistant_writes_them_where_one_is_configured(talk: Talk, historian: type[Historian]) -> None:
    context(talk)
    summarise(talk)
    rows = Summary.objects.filter(conversation=talk.id, author="historian")
    assert rows.filter(from_seq=1, to_seq=128).exists()
    assert "Ship number 5 " in "\n".join(historian.told)
    written = len(historian.told)
    made = context(talk, max_tokens=4000)
    assert any("Many ships sailed" in line.text for line in made.lines)
    assert all(one.tokens <= 220 for one in made.summarised)
    summarise(talk)
    assert len(historian.told) == written


@examples(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", ""]), st.text(max_size=120)), max_size=12))
def test_an_extract_fits_and_has_nothing_of_its_own(said: list[tuple[str, str]]) -> None:
    text = extract(said, 60, lambda line: tokens.count(line, ENCODING))
    assert tokens.count(text, ENCODING) <= 60
    lines = {f"{who}: {one}" if who else one for who, told in said for one in _sentences(told)}
    assert set(filter(None, text.split("\n"))) <= lines


def test_an_extract_takes_what_comes_up_often() -> None:
    said: list[Any] = [
        ("user", "Hi. The invoice from March is wrong. Nice weather!"),
        ("assistant", "Which invoice? The March invoice has the number 4711."),
        ("user", "我们的发票是错的。今天天气很好。"),
    ]
    text = extract(said, 40, lambda line: tokens.count(line, ENCODING))
    assert "The invoice from March is wrong." in text
    assert "weather" not in text
