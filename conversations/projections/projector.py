"""The rows that the events of one transaction make and change.

New rows of the large tables are gathered and inserted together; everything else is written at once. Counters and
the active run are set on the conversation's row, which the log stores with the new head.
"""

from typing import Any
from uuid import UUID

from django.db.models import Model

from chatproject.lib import rows
from conversations.models import Message, Run
from conversations.models.message import MessageRows


class Projector:
    """What handlers write with, in the order of the events."""

    def __init__(self) -> None:
        self._new: dict[type[Model], list[Model]] = {}

    def insert(self, row: Model) -> None:
        """Have a row inserted with the next `flush`."""
        self._new.setdefault(type(row), []).append(row)

    def flush(self) -> None:
        """Insert what was gathered; before any statement that must find it."""
        new, self._new = self._new, {}
        rows.insert(*new.values())

    def update_run(self, run: str, **fields: Any) -> None:
        self.flush()
        Run.objects.filter(id=run).update(**fields)

    def update_message(self, message: str, **fields: Any) -> None:
        self.message_rows(message).update(**fields)

    def message_rows(self, message: str | UUID) -> MessageRows:
        """The row of a message, as a set."""
        self.flush()
        return Message.objects.filter(id=message)

    def message(self, message: str | UUID) -> Message:
        """A row to change and to save."""
        self.flush()
        return Message.objects.get(id=message)
