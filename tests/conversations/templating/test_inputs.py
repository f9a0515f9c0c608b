"""Variables and what is given for them: types, defaults, limits, and errors by name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproject.lib.errors import Problem
from conversations.templating import inputs, variables

ALL = (
    {"name": "customer", "max_length": 10},
    {"name": "amount", "type": "number", "label": "How much?"},
    {"name": "plan", "type": "choice", "choices": ["free", "paid"], "default": "free"},
    {"name": "day", "type": "date", "required": False},
    {"name": "urgent", "type": "boolean"},
)
GOOD = {"customer": "Ada", "amount": 5, "plan": "paid", "day": "2026-11-21", "urgent": True}


def asked(*given: dict[str, Any]) -> tuple[variables.Variable, ...]:
    return variables.parsed(list(given))


def refused(*given: dict[str, Any]) -> str:
    with pytest.raises(Problem) as caught:
        inputs.check_defaults(asked(*given))
    assert caught.value.code.name == "invalid"
    assert caught.value.errors
    [sentence] = caught.value.errors["variables"]
    return sentence


def errors(given: Any) -> set[str]:
    with pytest.raises(Problem) as caught:
        inputs.clean(asked(*ALL), given)
    assert caught.value.code.name == "invalid"
    return set(caught.value.errors or {})


def test_every_type() -> None:
    assert inputs.clean(asked(*ALL), GOOD) == {
        "customer": "Ada", "amount": "5", "plan": "paid", "day": "2026-11-21", "urgent": "yes",
    }  # fmt: skip


def test_defaults_and_what_may_be_missing() -> None:
    assert inputs.clean(asked(*ALL), {"customer": " Ada ", "amount": "2.50", "day": None}) == {
        "customer": "Ada", "amount": "2.50", "plan": "free", "day": "", "urgent": "no",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"customer": ""}, {"customer"}),
        ({"customer": "   "}, {"customer"}),
        ({"customer": None}, {"customer"}),
        ({"customer": "x" * 11}, {"customer"}),
        ({"customer": "a\0"}, {"customer"}),
        ({"customer": "\ud800"}, {"customer"}),
        ({"customer": 5}, {"customer"}),
        ({"customer": ["Ada"]}, {"customer"}),
        ({"amount": "much"}, {"amount"}),
        ({"amount": True}, {"amount"}),
        ({"amount": "1e999999999"}, {"amount"}),
        ({"amount": "NaN"}, {"amount"}),
        ({"amount": float("inf")}, {"amount"}),
        ({"plan": "gold"}, {"plan"}),
        ({"day": "21.11.2026"}, {"day"}),
        ({"day": "2026-02-30"}, {"day"}),
        ({"day": 20261121}, {"day"}),
        ({"urgent": "yes"}, {"urgent"}),
        ({"urgent": 1}, {"urgent"}),
        ({"other": "x"}, {"other"}),
        ({"customer": "", "amount": "much", "other": "x"}, {"customer", "amount", "other"}),
    ],
)
def test_errors_by_variable(changed: dict[str, Any], names: set[str]) -> None:
    assert errors(GOOD | changed) == {f"inputs.{name}" for name in names}


@pytest.mark.parametrize("given", [[], "x", 5, True])
def test_inputs_are_an_object(given: Any) -> None:
    assert errors(given) == {"inputs"}


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists)


@given(st.dictionaries(st.sampled_from([*GOOD, "other"]), JSON))
def test_any_json_is_answered(given: dict[str, Any]) -> None:
    """With texts, or with errors; never with anything else."""
    found: dict[str, Any]
    try:
        found = inputs.clean(asked(*ALL), {**GOOD, **given})
    except Problem as problem:
        found = problem.errors or {"": None}
    assert all(isinstance(value, str | list) for value in found.values())


@pytest.mark.parametrize(
    ("variable", "word"),
    [
        ({}, "name"),
        ({"name": "Name"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "1a"}, "name"),
        ({"name": "a" * 41}, "name"),
        ({"name": "a", "type": "file"}, "type"),
        ({"name": "a", "colour": "red"}, "colour"),
        ({"name": "a", "type": "choice"}, "choices"),
        ({"name": "a", "choices": ["x"]}, "choices"),
        ({"name": "a", "type": "choice", "choices": ["x", "x"]}, "twice"),
        ({"name": "a", "type": "choice", "choices": [" x"]}, "choices"),
        ({"name": "a", "type": "choice", "choices": [""]}, "choices"),
        ({"name": "a", "type": "number", "max_length": 5}, "max_length"),
        ({"name": "a", "max_length": 0}, "max_length"),
        ({"name": "a", "max_length": 10**6}, "max_length"),
        ({"name": "a", "label": "x" * 101}, "label"),
        ({"name": "a", "required": "yes"}, "required"),
        ({"name": "a", "type": "choice", "choices": ["x"], "default": "y"}, "default"),
        ({"name": "a", "type": "number", "default": "much"}, "default"),
        ({"name": "a", "type": "boolean", "default": "yes"}, "default"),
        ({"name": "a", "type": "date", "default": "today"}, "default"),
        ({"name": "a", "max_length": 2, "default": "xxx"}, "default"),
        ({"name": "a", "default": ["x"]}, "default"),
    ],
)
def test_variables_that_cannot_be(variable: dict[str, Any], word: str) -> None:
    assert word in refused(variable)


def test_too_many_variables_and_two_of_a_name() -> None:
    assert "at most 20" in refused(*({"name": f"v{number}"} for number in range(21)))
    assert "two of this name" in refused({"name": "a"}, {"name": "a"})
