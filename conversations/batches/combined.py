"""The combined report of a batch: every question with its answer, below what became of all of them."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from conversations import selectors
from conversations.batches.sealing import opened
from conversations.models import BatchRow

# What becomes of an answer that has headings of its own: they stand below that of its question.
DEEPER = "##"


def report(batch: Any) -> Iterator[bytes]:
    """Markdown. `batch` with the numbers of its rows."""
    yield _head(batch).encode()
    for row in selectors.answered_rows(batch):
        yield section(row).encode()


def _head(batch: Any) -> str:
    title = opened(batch, "title", batch.title) or _("Questions and answers")
    counts = _("%(total)s questions: %(done)s answered, %(failed)s failed, %(stopped)s stopped") % {
        "total": batch.total, "done": batch.done, "failed": batch.failed, "stopped": batch.halted,
    }  # fmt: skip
    return f"# {one_line(title)}\n\n{batch.created_at:%Y-%m-%d %H:%M} UTC · {batch.assistant} · {counts}\n"


def section(row: dict[str, Any]) -> str:
    """One question and what was answered."""
    error = row["error"] or {}
    answer = _deeper(row["answer"]) or f"*{one_line(error.get('message') or _status(row['status']))}*"
    return f"\n## {row['number']}. {one_line(row['question'])}\n\n{answer.strip()}\n"


def _status(status: str) -> str:
    return str(BatchRow.Status(status).label)


def one_line(text: str) -> str:
    """Text that stays within a heading."""
    return " ".join(text.split()) or "…"


def _deeper(text: str) -> str:
    """Markdown whose headings, outside of code, are two levels lower."""
    lines, fenced = [], False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        lines.append(DEEPER + line if line.startswith("#") and not fenced else line)
    return "\n".join(lines)
