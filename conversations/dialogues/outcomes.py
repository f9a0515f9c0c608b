"""What came of a turn, and whether that is what was expected."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import regex

from conversations.dialogues.script import kind_of

# Seconds that a regular expression may take.
REGEX_SECONDS = 1.0
SHOWN = 200


@dataclass(frozen=True)
class Outcome:
    """How a turn ended. `milliseconds` are from the question to the end of its answer, by the database's clock;
    `failure` says why there is no answer at all."""

    status: str = ""
    text: str = ""
    error: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    milliseconds: float = 0.0
    failure: str = ""


def unmet(expectation: dict[str, Any], outcome: Outcome) -> str:
    """Why an expectation is not met; empty where it is."""
    kind = kind_of(expectation)
    if outcome.failure:
        return outcome.failure
    return CHECKS[kind](expectation[kind], outcome)


def _contains(value: str, outcome: Outcome) -> str:
    return "" if value in outcome.text else f"{value!r} is not in {_shown(outcome.text)}"


def _lacks(value: str, outcome: Outcome) -> str:
    return f"{value!r} is in {_shown(outcome.text)}" if value in outcome.text else ""


def _equals(value: str, outcome: Outcome) -> str:
    return "" if outcome.text.strip() == value.strip() else f"it is {_shown(outcome.text)}, not {_shown(value)}"


def _regex(value: str, outcome: Outcome) -> str:
    try:
        found = regex.search(value, outcome.text, timeout=REGEX_SECONDS)
    except TimeoutError:
        return f"{value!r} takes too long on {_shown(outcome.text)}"
    return "" if found else f"{value!r} does not match {_shown(outcome.text)}"


def _source(value: str, outcome: Outcome) -> str:
    sources = [*outcome.sources, *(source for step in outcome.steps for source in step.get("sources") or ())]
    named = [json.dumps(source, ensure_ascii=False) for source in sources]
    return "" if any(value in one for one in named) else f"{value!r} is no source of it ({len(named)} are)"


def _step(value: str, outcome: Outcome) -> str:
    names = [step["name"] for step in outcome.steps]
    return "" if value in names else f"there is no step {value!r}, but {names}"


def _tool(value: str, outcome: Outcome) -> str:
    names = [step["name"] for step in outcome.steps if step["kind"] == "tool"]
    return "" if value in names else f"the tool {value!r} was not called, but {names}"


def _steps(value: int, outcome: Outcome) -> str:
    return "" if len(outcome.steps) >= value else f"there are {len(outcome.steps)} steps, not {value}"


def _status(value: str, outcome: Outcome) -> str:
    reason = f" ({outcome.error})" if outcome.error else ""
    return "" if outcome.status == value else f"it is {outcome.status}{reason}, not {value}"


def _error(value: str, outcome: Outcome) -> str:
    return "" if outcome.error == value else f"the error is {outcome.error or 'none'}, not {value}"


def _within(value: int, outcome: Outcome) -> str:
    return "" if outcome.milliseconds <= value else f"it took {outcome.milliseconds:.0f} ms, not {value}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


CHECKS: dict[str, Callable[[Any, Outcome], str]] = {
    "contains": _contains,
    "lacks": _lacks,
    "equals": _equals,
    "regex": _regex,
    "source": _source,
    "step": _step,
    "tool": _tool,
    "steps": _steps,
    "status": _status,
    "error": _error,
    "within_ms": _within,
}
