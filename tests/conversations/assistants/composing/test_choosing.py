"""Properties of `choose`, of votes and of sections: pure functions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.assistants.composing import merging, routing
from conversations.assistants.composing.languages import language_of
from conversations.assistants.composing.routing import Question, Rule, choose

WORDS = st.sampled_from(["refund", "invoice", "two words", "退款", "x"])
RULES = st.builds(
    Rule,
    to=st.sampled_from(["a", "b", "c"]),
    priority=st.integers(-2, 2),
    keywords=st.lists(WORDS, max_size=2).map(tuple),
    metadata=st.dictionaries(st.sampled_from(["plan", "x"]), st.sampled_from([1, "pro", ["pro", "free"]]), max_size=1),
    language=st.sampled_from(["", "", "en", "zh"]),
    template=st.sampled_from(["", "", "support"]),
)
MODELS = st.builds(Rule, ask=st.just("m"), among=st.just(("a", "b")), priority=st.integers(-2, 2))
QUESTIONS = st.builds(
    Question,
    text=st.lists(WORDS | st.text(max_size=5)).map(" ".join),
    metadata=st.dictionaries(st.sampled_from(["plan", "x"]), st.sampled_from([1, "pro", "none"])),
    template=st.sampled_from(["", "support", "other"]),
    opinions=st.dictionaries(st.integers(0, 5), st.sampled_from(["a", "b!", "a or b", "", "nobody"])),
)


@given(st.lists(RULES | MODELS, max_size=6), QUESTIONS)
def test_the_first_rule_by_priority_that_holds_decides(rules: list[Rule], question: Question) -> None:
    choice = choose(rules, question, "default")
    assert choose(rules, question, "default") == choice, "the same question has the same answer"
    order = [one.place for one in choice.outcomes]
    assert order == sorted(range(len(rules)), key=lambda place: (-rules[place].priority, place))[: len(order)]
    assert not any(one.matched for one in choice.outcomes[:-1]), "nothing that matched is passed over"
    for one in choice.outcomes:
        assert one.matched or routing.unmet(rules[one.place], question) or rules[one.place].ask
    if choice.asks is None and not (choice.outcomes and choice.outcomes[-1].matched):
        assert (choice.name, len(choice.outcomes)) == ("default", len(rules))
    if choice.asks is not None:
        assert (choice.name, rules[choice.asks].ask) == ("", "m")
        assert choice.asks not in question.opinions
    if choice.name not in ("default", ""):
        rule = rules[choice.outcomes[-1].place]
        assert choice.name in (rule.to, *rule.among)
    assert choice.why


@given(st.lists(RULES, min_size=1, max_size=6), QUESTIONS, st.randoms())
def test_without_equal_priorities_the_order_of_the_list_does_not_matter(
    rules: list[Rule], question: Question, random: Any
) -> None:
    told = [Rule(to=rule.to, keywords=rule.keywords, priority=place) for place, rule in enumerate(rules)]
    shuffled = random.sample(told, len(told))
    assert choose(shuffled, question, "default").name == choose(told, question, "default").name


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("refund", "A REFUND, please", True),
        ("refund", "refunds", False),
        ("money back", "my money  back!", True),
        ("c++", "I write C++ code", True),
        ("退款", "我要退款吗", True),
        ("a.b", "aXb", False),
        ("", "anything", False),
    ],
)
def test_words_and_phrases(phrase: str, text: str, expected: bool) -> None:
    assert routing.said(phrase, text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I get my money back?", "en"),
        ("Wie bekomme ich mein Geld zurück, bitte?", "de"),
        ("Je ne peux pas ouvrir la porte", "fr"),
        ("¿Cómo puedo cambiar mi contraseña?", "es"),
        ("我想退款", "zh"),
        ("返金したいです", "ja"),
        ("환불해 주세요", "ko"),
        ("Верните деньги", "ru"),
        ("12345 !?", ""),
        ("", ""),
    ],
)
def test_languages(text: str, expected: str) -> None:
    assert language_of(text) == expected


@given(st.text())
def test_any_text_has_a_language_or_none(text: str) -> None:
    assert language_of(text) is not None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("billing", "billing"),
        ("**Billing**.", "billing"),
        ("billing or guide", ""),
        ("billing-pro", "billing-pro"),
        ("nobody", ""),
        ("", ""),
    ],
)
def test_one_name_of_several(answer: str, expected: str) -> None:
    assert routing.opinion(answer, ["billing", "billing-pro", "guide"]) == expected


MEMBERS = ("a", "b", "c", "d")
ANSWERS = st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from(["yes", "Yes!", "no", "no or yes", " ", "maybe"]))


@given(ANSWERS, st.sampled_from([(), ("yes", "no")]))
def test_a_vote_is_won_by_what_most_gave(answers: dict[str, str], choices: tuple[str, ...]) -> None:
    winner, count = merging.vote(answers, MEMBERS, choices)
    again = merging.vote(dict(reversed(answers.items())), MEMBERS, choices)
    assert again == (winner, count), "the order in which answers came does not matter"
    ballots = [merging._ballot(text, choices) for text in answers.values()]
    counted = {ballot: ballots.count(ballot) for ballot in ballots if ballot}
    assert count == max(counted.values(), default=0)
    if winner:
        assert counted[merging._ballot(winner, choices)] == count
        assert winner in (choices or [text.strip() for text in answers.values()])


@given(ANSWERS)
def test_sections_have_every_answer_once_in_the_order_of_the_members(answers: dict[str, str]) -> None:
    text = merging.sections(answers, MEMBERS)
    named = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert named == [name for name in MEMBERS if name in answers]
