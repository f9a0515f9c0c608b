"""The audit trail as a file: streamed in pages, so that any number of entries takes no more memory than one."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable

from django.db.models import Q, QuerySet

from accounts.models import AuditEntry
from chatproject.lib.clock import rfc3339
from chatproject.lib.threads import in_thread

PAGE = 1000
COLUMNS = ("at", "actor", "actor_name", "action", "target_type", "target_id", "address", "request_id", "detail")
# What a spreadsheet takes for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Write = Callable[[list[AuditEntry]], str]


async def as_csv(entries: QuerySet[AuditEntry]) -> AsyncIterator[bytes]:
    """A line per entry, below one with the names of the columns."""
    yield _line(COLUMNS).encode()
    async for text in _pages(entries, lambda page: "".join(_line(map(_cell, _values(entry))) for entry in page)):
        yield text


async def as_jsonl(entries: QuerySet[AuditEntry]) -> AsyncIterator[bytes]:
    """A JSON object per line and entry."""
    async for text in _pages(entries, lambda page: "".join(_object(entry) for entry in page)):
        yield text


FORMS: dict[str, tuple[str, Callable[[QuerySet[AuditEntry]], AsyncIterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/jsonl", as_jsonl),
}


async def _pages(entries: QuerySet[AuditEntry], write: Write) -> AsyncIterator[bytes]:
    """From the oldest to the newest; what is added meanwhile is in it."""
    ordered = entries.select_related("actor").order_by("at", "id")
    after = Q()
    while page := await in_thread(list, ordered.filter(after)[:PAGE]):
        yield write(page).encode()
        last = page[-1]
        after = Q(at__gt=last.at) | Q(at=last.at, id__gt=last.id)


def _values(entry: AuditEntry) -> list[str]:
    return [
        str(rfc3339(entry.at)),
        str(entry.actor_id or ""),
        entry.actor.username if entry.actor else "",
        entry.action,
        entry.target_type,
        entry.target_id,
        entry.address,
        entry.request_id,
        json.dumps(entry.detail, ensure_ascii=False, sort_keys=True),
    ]


def _object(entry: AuditEntry) -> str:
    found = dict(zip(COLUMNS, _values(entry), strict=True)) | {"detail": entry.detail}
    return json.dumps(found, ensure_ascii=False) + "\n"


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: object) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)  # type: ignore[arg-type]
    return written.getvalue()
