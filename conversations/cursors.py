"""Cursors: `(epoch, seq)` on every transport, replayed exactly or answered with a reason and a snapshot."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.utils.dateparse import parse_datetime

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import selectors

EVENT_ID = re.compile(r"([0-9a-f-]{36}):(\d{1,18})")


@dataclass(frozen=True)
class Cursor:
    """Everything up to and including `seq` of `epoch` was applied; `epoch` may be unknown."""

    epoch: str | None
    seq: int


def parse_event_id(text: str) -> Cursor:
    """The cursor of an SSE id `<epoch>:<seq>`. Raises Problem `invalid`."""
    match = EVENT_ID.fullmatch(text.strip())
    if match is None:
        raise Problem("invalid", "Last-Event-ID must be the id of an earlier event.")
    return Cursor(match[1], int(match[2]))


def parse_time(text: str) -> datetime:
    """An RFC 3339 time with an offset. Raises Problem `invalid`."""
    try:
        moment = parse_datetime(text.replace(" ", "+"))
        if moment and moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Problem("invalid", errors={"since": ["An RFC 3339 time with an offset, such as 2026-01-31T09:00:00Z."]})


def reason_to_resync(
    cursor: Cursor, epoch: str, head: int, *, most: int | None = None, strict: bool = False
) -> str | None:
    """Why `cursor` cannot be replayed against a log: `epoch`, `ahead`, `too_far`; None where it can.

    With `strict`, a seq above 0 needs an epoch; `most` limits how far behind it may be.
    """
    if cursor.seq > 0 and cursor.epoch != epoch and (cursor.epoch is not None or strict):
        return "epoch"
    if cursor.seq > head:
        return "ahead"
    if most is not None and head - cursor.seq > most:
        return "too_far"
    return None


def check(cursor: Cursor, conversation: UUID, reader: User | None = None) -> None:
    """Raise Problem `resync_required`, with reason and `reader`'s snapshot, where `cursor` cannot be replayed."""
    epoch, head = selectors.head(conversation)
    reason = reason_to_resync(cursor, epoch, head)
    if reason:
        snapshot = selectors.snapshot(conversation, reader)
        raise Problem("resync_required", extra={"reason": reason, **snapshot})
