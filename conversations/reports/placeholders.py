"""`{{ placeholders }}` of report templates: names of a list, and questions to an assistant. Data alone: nothing in a
template is ever evaluated, and what is filled in is not looked at again.

    # {{ title }}
    {{ ask: What was decided? }}
"""

import re
from collections.abc import Mapping

from django.conf import settings

from chatproject.lib.errors import Problem

# A question goes to the closing braces, on one line. No two neighbours of the pattern match the same, so that no text
# is tried in more ways than it has characters.
PLACEHOLDER = re.compile(r"\{\{[ \t]*(?:(?P<name>[a-z_]+)[ \t]*|ask[ \t]*:(?P<question>[^{}\n]*))\}\}")
# What somebody meant to be one.
MEANT = re.compile(r"\{\{[^{}\n]*\}\}")
NAMES = (
    "title", "date", "author", "conversations", "participants", "began", "ended", "messages", "transcript",
    "last_answer", "rows", "rows_total", "rows_done", "rows_failed",
)  # fmt: skip


def questions(text: str) -> list[str]:
    """The questions of a template in order, each once. Raises Problem `invalid` with the line of what is wrong."""
    faults = [
        f"Line {number}: there is no placeholder {found}."
        for number, line in enumerate(text.splitlines(), 1)
        for found in MEANT.findall(line)
        if not _is_known(found)
    ]
    if faults:
        raise Problem("invalid", errors={"content": faults[:10]})
    asked = list(
        dict.fromkeys(match["question"].strip() for match in PLACEHOLDER.finditer(text) if match["name"] is None)
    )
    if len(asked) > settings.REPORT_QUESTIONS_MAX:
        raise Problem("too_large", f"A template asks at most {settings.REPORT_QUESTIONS_MAX} questions.")
    return asked


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with the values in the place of their names; those of questions by `ask: <question>`."""
    return PLACEHOLDER.sub(lambda match: values.get(key(match), ""), text)


def size(text: str, values: Mapping[str, str]) -> int:
    """Characters that are filled in: each value as often as it is asked for."""
    return sum(len(values.get(key(match), "")) for match in PLACEHOLDER.finditer(text))


def key(match: "re.Match[str]") -> str:
    """Under what name the value of a placeholder is found."""
    return str(match["name"]) if match["name"] is not None else ask(match["question"].strip())


def ask(question: str) -> str:
    return f"ask: {question}"


def _is_known(found: str) -> bool:
    match = PLACEHOLDER.fullmatch(found)
    return match is not None and (
        match["name"] in NAMES if match["name"] is not None else bool(match["question"].strip())
    )
