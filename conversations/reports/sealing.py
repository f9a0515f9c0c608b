"""What is sealed of reports and their templates: titles, templates, documents."""

from typing import Any

from chatproject.lib.crypto import DataKey
from chatproject.lib.keyring import keyring
from conversations.models import Report, ReportTemplate

Row = Report | ReportTemplate


def wrapped(key: DataKey, row: Row) -> str:
    """`key` as it may be stored in the row."""
    return keyring().wrap(key, row.id.hex)


def key_of(row: Row) -> DataKey:
    """The key of a row. Raises CryptoError where its primary key is missing."""
    return keyring().unwrap(row.data_key, row.id.hex)


def context(row: Row, field: str) -> str:
    """What is sealed is bound to its row and field."""
    return f"report|{row.id.hex}|{field}"


def title_of(report: Report) -> str | None:
    """What its user called it, or the conversation."""
    found: Any = report.title and key_of(report).open(report.title, context(report, "title"))
    return found or None


def sealed(row: Row, field: str, data: bytes) -> bytes:
    """Bytes as they may be stored in the row."""
    return key_of(row).seal_bytes(data, context(row, field))


def opened(row: Row, field: str, stored: bytes | memoryview) -> bytes:
    """The inverse of `sealed`. Raises CryptoError."""
    return key_of(row).open_bytes(bytes(stored), context(row, field))
