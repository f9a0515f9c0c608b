"""The rows that the events of one transaction make and change.

New messages and runs are gathered and inserted together; everything else is written at once. Counters and
the active run are set on the conversation's row, which the log stores with the new head.
"""

from typing import Any
from uuid import UUID

from conversations.models import Message, Run
from conversations.models.message import MessageRows


class Projector:
    """What handlers write with, in the order of the events."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._runs: list[Run] = []

    def insert(self, row: Message | Run) -> None:
        (self._messages if isinstance(row, Message) else self._runs).append(row)  # type: ignore[arg-type]

    def flush(self) -> None:
        """Insert what was gathered; before any statement that must find it."""
        if self._messages:
            Message.objects.bulk_create(self._messages)
        if self._runs:
            Run.objects.bulk_create(self._runs)
        self._messages, self._runs = [], []

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
