"""The rows that the events of one transaction make and change.

New rows of the large tables, and what changes in those that are there, are gathered and written together; everything
else is written at once. Counters and the active run are set on the conversation's row, which the log stores with the
new head.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model

from chatproject.lib import rows
from conversations.models import Message, Run
from conversations.models.message import MessageRows

Row = TypeVar("Row", Message, Run)


class Projector:
    """What handlers write with, in the order of the events."""

    def __init__(self) -> None:
        self._new: dict[type[Model], list[Model]] = {}
        self._changes: list[tuple[type[Model], dict[str, Any]]] = []

    def insert(self, row: Model) -> None:
        """Have a row inserted with the next `flush`."""
        self._new.setdefault(type(row), []).append(row)

    def flush(self) -> None:
        """Write what was gathered; before any statement that must find it."""
        new, self._new = self._new, {}
        changes, self._changes = self._changes, []
        rows.insert(*new.values())
        for model, change in changes:
            rows.update(model, change)

    def flush_changes(self) -> None:
        """The same where rows that are there change: decisions find those as they are."""
        if self._changes:
            self.flush()

    def update_run(self, run: str, **fields: Any) -> None:
        self._changes.append((Run, {"id": run, **fields}))

    def update_message(self, message: str, **fields: Any) -> None:
        self._changes.append((Message, {"id": message, **fields}))

    def message_rows(self, message: str | UUID) -> MessageRows:
        """The row of a message, as a set."""
        self._find(Message)
        return Message.objects.filter(id=message)

    def message(self, message: str | UUID) -> Message:
        """A row to change and to `save`."""
        return self._get(Message, message)

    def run(self, run: str) -> Run:
        """A row to look at."""
        return self._get(Run, run)

    def save(self, row: Message) -> None:
        """Have all of a row written."""
        self._changes.append((Message, {name: value for name, value in vars(row).items() if name != "_state"}))

    def _get(self, model: type[Row], id_: str | UUID) -> Row:
        self._find(model)
        found: Iterator[Row] = rows.made(model, rows.execute(_one(model), id_))
        row = next(found, None)
        if row is None:
            raise model.DoesNotExist
        return row

    def _find(self, model: type[Model]) -> None:
        """Before a statement that looks for rows of `model`."""
        if model in self._new or any(changed is model for changed, _ in self._changes):
            self.flush()


@cache
def _one(model: type[Model]) -> str:
    return f"SELECT {rows.columns(model, 'r')} FROM {model._meta.db_table} r WHERE r.id = %s"  # noqa: S608  our own names
