"""Questions before they are asked: each with its row, so that what is wrong with one can be found in the file."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from chatproject.lib.errors import Problem
from conversations.privacy import drafts as privacy
from conversations.services.validation import clean_text

# Rows whose faults are told at the same time.
TOLD = 10


@dataclass(frozen=True)
class Question:
    """`row` counts from 1, in the file or in the list that it comes from."""

    row: int
    text: str


def cleaned(questions: Sequence[Question]) -> list[str]:
    """The texts, as they are stored. Raises Problem `invalid` with the rows at fault, `too_large`."""
    if not questions:
        raise Problem("invalid", errors={"questions": ["There is no question."]})
    if len(questions) > settings.BATCH_MAX_ROWS:
        raise Problem("too_large", f"A batch has at most {settings.BATCH_MAX_ROWS} questions.")
    faults = [fault for one in questions if (fault := _fault(one))]
    if faults:
        raise Problem("invalid", errors={"questions": faults[:TOLD]})
    return [text for one in questions for text in privacy.kept("batch", questions=[one.text])["questions"]]


def _fault(question: Question) -> str | None:
    try:
        clean_text(question.text)
    except Problem as problem:
        sentences = [sentence for found in (problem.errors or {}).values() for sentence in found]
        return f"Row {question.row}: {' '.join(sentences) or problem.detail}"
    return None
