"""One answer from several: what is made of what the members of a fan-out said. Pure."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from conversations.assistants.composing.routing import opinion

FIRST, SECTIONS, VOTE, SUMMARY = "first", "sections", "vote", "summary"
STRATEGIES = (FIRST, SECTIONS, VOTE, SUMMARY)


def is_good(answer: str) -> bool:
    return bool(answer.strip())


def sections(answers: Mapping[str, str], members: Sequence[str]) -> str:
    """Every answer under the name of who gave it, in the order of the members."""
    return "\n\n".join(f"## {name}\n\n{answers[name].strip()}" for name in members if name in answers)


def vote(answers: Mapping[str, str], members: Sequence[str], choices: Sequence[str] = ()) -> tuple[str, int]:
    """The answer that most of them gave, and how many did; of several, the one that the first member gave.

    With `choices`, an answer counts for the one of them that it names, and one that names none or several does not
    count; without, answers count as the same where their words are. Empty where nothing counts.
    """
    given = {name: _ballot(answers[name], choices) for name in members if name in answers}
    counted = Counter(ballot for ballot in given.values() if ballot)
    if not counted:
        return "", 0
    most = max(counted.values())
    winner = next(name for name, ballot in given.items() if counted[ballot] == most)
    return (given[winner] if choices else answers[winner].strip()), most


def _ballot(answer: str, choices: Sequence[str]) -> str:
    return opinion(answer, choices) if choices else " ".join(re.findall(r"\w+", answer.casefold()))
