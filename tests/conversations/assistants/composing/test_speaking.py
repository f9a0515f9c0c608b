"""Properties of who of a team speaks next: pure functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.assistants.composing import speaking
from conversations.assistants.composing.speaking import Said, SpeakerRule, Spent, TeamConfig, next_speaker, wish_of

MEMBERS = ("ann", "ben", "cy")
NAMES = st.sampled_from(MEMBERS)
SAID = st.builds(
    Said,
    speaker=NAMES,
    failed=st.booleans(),
    text=st.sampled_from(["Done?", "a bug", "ship it", ""]),
    wish=st.sampled_from(["", "", "ann", "ben", "done", "continue", "stranger"]),
)
RULES = st.builds(
    SpeakerRule,
    to=st.sampled_from([*MEMBERS, "done"]),
    after=st.sampled_from(["", *MEMBERS]),
    keywords=st.sampled_from([(), ("bug",), ("ship it",)]),
)
TEAMS = st.one_of(
    st.builds(TeamConfig, members=st.just(MEMBERS), max_turns=st.integers(1, 9), max_tokens=st.integers(0, 50)),
    st.builds(TeamConfig, members=st.just(MEMBERS), next=st.just("rule"), rules=st.lists(RULES, min_size=1).map(tuple)),
    st.builds(TeamConfig, members=st.just(MEMBERS), next=st.just("coordinator"), coordinator=st.just("boss")),
)
SPENT = st.builds(Spent, st.integers(0, 10), st.integers(0, 60), st.floats(0, 400))
ANSWERS = st.sampled_from([None, "ann", "I say: ben!", "done", "ann or ben", "", "stranger"])


@given(TEAMS, st.lists(SAID, max_size=9), SPENT, ANSWERS)
def test_who_speaks_next(team: TeamConfig, turns: list[Said], spent: Spent, answer: str | None) -> None:
    chosen = next_speaker(team, turns, spent, answer)
    assert next_speaker(team, turns, spent, answer) == chosen
    assert chosen.name in ("", *MEMBERS)
    assert chosen.why
    last = turns[-1] if turns else None
    if spent.turns >= team.max_turns or (team.max_tokens and spent.tokens >= team.max_tokens):
        assert chosen.name == "", "no wish and nobody's choice is above a limit"
        assert not chosen.asks
    elif last and last.wish == "done":
        assert (chosen.name, chosen.asks) == ("", False)
    elif len(turns) >= 3 and all(turn.failed for turn in turns[-3:]):
        assert chosen.name == ""
    elif spent.seconds < team.max_seconds and last and last.wish in MEMBERS:
        assert chosen.name == last.wish
    if chosen.asks:
        assert (team.next, answer) == ("coordinator", None)


@given(st.integers(1, 30))
def test_a_round_is_fair_and_ends(limit: int) -> None:
    team = TeamConfig(members=MEMBERS, max_turns=limit)
    turns: list[Said] = []
    while chosen := next_speaker(team, turns, Spent(len(turns))).name:
        turns.append(Said(chosen))
    assert [turn.speaker for turn in turns] == [MEMBERS[n % 3] for n in range(limit)]


def test_where_a_coordinator_names_nobody_it_goes_in_turn() -> None:
    team = TeamConfig(members=MEMBERS, next="coordinator", coordinator="boss")
    assert next_speaker(team, [Said("ann")], Spent(1), "Whoever.").name == "ben"
    assert next_speaker(team, [], Spent(0), "done").name == "ann", "nobody has said anything yet"
    assert next_speaker(team, [Said("ann")], Spent(1), "done").name == ""


def test_rules() -> None:
    rules = (SpeakerRule(to="cy", keywords=("bug",)), SpeakerRule(to="done", after="cy"))
    team = TeamConfig(members=MEMBERS, next="rule", rules=rules)
    assert next_speaker(team, [Said("ann", text="There is a bug.")], Spent(1)).name == "cy"
    assert next_speaker(team, [Said("cy", text="No more.")], Spent(1)) == speaking.Next("", "by rule")
    assert next_speaker(team, [Said("ann", text="Fine.")], Spent(1)).name == "ben"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Look into it.\n\n@Ben", "ben"),
        ("**@cy**.", "cy"),
        ("@ben, look into it", ""),
        ("ask @ben", ""),
        ("@stranger", ""),
        ("That is all.\n[done]", "done"),
        ("[DONE]", "done"),
        ("more\n\n[continue]\n\n", "continue"),
        ("[done] is what I would say\nno", ""),
        ("", ""),
    ],
)
def test_what_the_last_line_wishes(text: str, expected: str) -> None:
    assert wish_of(text, MEMBERS) == expected


@given(st.text())
def test_any_text_has_a_wish_or_none(text: str) -> None:
    assert wish_of(text, MEMBERS) in ("", "done", "continue", *MEMBERS)
