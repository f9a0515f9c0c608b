"""What a batch has answered so far, as a file that is written page by page."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from conversations import selectors
from conversations.batches import combined, workbooks
from conversations.models import Batch

Json = dict[str, Any]

COLUMNS = (
    "number", "status", "question", "answer", "error", "assistant", "attempts", "input_tokens", "output_tokens",
    "conversation", "message", "run", "ended_at",
)  # fmt: skip
# What a spreadsheet takes for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Spreadsheets take text without it for something else than UTF-8.
BOM = "\ufeff"


@dataclass(frozen=True)
class Form:
    """How results are written down."""

    media_type: str
    write: Callable[[Batch], Iterator[bytes]]


def _as_csv(batch: Batch) -> Iterator[bytes]:
    yield (BOM + _line(COLUMNS)).encode()
    for row in selectors.answered_rows(batch):
        yield _line([_harmless(cell) for cell in cells(row)]).encode()


def _as_jsonl(batch: Batch) -> Iterator[bytes]:
    for row in selectors.answered_rows(batch):
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _as_xlsx(batch: Batch) -> Iterator[bytes]:
    yield workbooks.written(COLUMNS, map(cells, selectors.answered_rows(batch)))


def cells(row: Json) -> list[str | int | None]:
    """A row as a table shows it."""
    usage = row["usage"] or {}
    error = row["error"] or {}
    flat = {
        **row,
        "error": error.get("message") or "",
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
    }
    return [flat[name] for name in COLUMNS]


def _harmless(cell: Any) -> Any:
    """Text that no spreadsheet calculates."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _line(cells: Any) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


FORMS = {
    "jsonl": Form("application/jsonl", _as_jsonl),
    "csv": Form("text/csv; charset=utf-8", _as_csv),
    "xlsx": Form("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _as_xlsx),
    "md": Form("text/markdown; charset=utf-8", combined.report),
}
