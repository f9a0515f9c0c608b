"""Dialogue tests as they are written: what is said, and what is expected of the answers."""

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import regex
import yaml
from msgspec import Struct, field

STATUSES = ("completed", "stopped", "failed", "interrupted", "waiting")
COMPLETED: dict[str, Any] = {"status": "completed"}
# What an expectation may be, and of which type its value is.
KINDS: dict[str, type] = {
    "contains": str,
    "lacks": str,
    "equals": str,
    "regex": str,
    "source": str,
    "step": str,
    "tool": str,
    "error": str,
    "status": str,
    "steps": int,
    "within_ms": int,
}
WEIGHT = "weight"


class BadScript(ValueError):
    """A file that is no script; says where and why."""


class Turn(Struct, forbid_unknown_fields=True):
    """`say` something, or `answer` what the assistant asked; without `expect`, the answer has to be completed."""

    say: str | None = None
    answer: Any = None
    assistant: str | None = None
    expect: list[dict[str, Any]] = field(default_factory=lambda: [COMPLETED])


class Trajectory(Struct, forbid_unknown_fields=True):
    """One dialogue, in a conversation of its own."""

    name: str
    turns: list[Turn]
    assistant: str | None = None

    @property
    def weight(self) -> float:
        return sum(weight_of(expectation) for turn in self.turns for expectation in turn.expect)


def read(path: Path) -> list[Trajectory]:
    """The dialogues of a file: YAML or JSON (a list), or JSON lines (one each). Raises BadScript."""
    try:
        text = path.read_text()
        found = _parsed(text, path.suffix)
        trajectories = msgspec.convert(found, list[Trajectory])
        for trajectory in trajectories:
            _check(trajectory)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, json.JSONDecodeError, msgspec.ValidationError) as error:
        raise BadScript(f"{path}: {error}") from error
    if not trajectories:
        raise BadScript(f"{path}: there is no dialogue in it")
    return trajectories


def weight_of(expectation: dict[str, Any]) -> float:
    return float(expectation.get(WEIGHT, 1))


def kind_of(expectation: dict[str, Any]) -> str:
    """What is expected: the one word beside the weight."""
    [kind] = [name for name in expectation if name != WEIGHT]
    return kind


def _parsed(text: str, suffix: str) -> Any:
    if suffix == ".jsonl":
        return [json.loads(line) for line in io.StringIO(text, newline=None) if line.strip()]
    return json.loads(text) if suffix == ".json" else yaml.safe_load(text)


def _check(trajectory: Trajectory) -> None:
    if not trajectory.turns:
        raise BadScript(f"{trajectory.name}: it has no turns")
    for number, turn in enumerate(trajectory.turns, 1):
        place = f"{trajectory.name}, turn {number}"
        if (turn.say is None) == (turn.answer is None):
            raise BadScript(f"{place}: either say or answer")
        if not turn.expect:
            raise BadScript(f"{place}: expect is empty")
        for expectation in turn.expect:
            _check_expectation(expectation, place)


def _check_expectation(expectation: dict[str, Any], place: str) -> None:
    kinds = [name for name in expectation if name != WEIGHT]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        raise BadScript(f"{place}: {expectation} is not one of {', '.join(KINDS)}")
    value, weight = expectation[kinds[0]], expectation.get(WEIGHT, 1)
    if not isinstance(value, KINDS[kinds[0]]) or isinstance(value, bool):
        raise BadScript(f"{place}: {kinds[0]} is a {KINDS[kinds[0]].__name__}, not {value!r}")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0:
        raise BadScript(f"{place}: weight is a number above 0, not {weight!r}")
    if kinds[0] == "status" and value not in STATUSES:
        raise BadScript(f"{place}: status is one of {', '.join(STATUSES)}")
    if kinds[0] == "regex":
        _check_pattern(str(value), place)


def _check_pattern(pattern: str, place: str) -> None:
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise BadScript(f"{place}: {pattern!r} is no regular expression: {error}") from error
