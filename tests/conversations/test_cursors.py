"""Cursors: replayed exactly, or answered with a reason."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import cursors, selectors
from conversations.cursors import Cursor, reason_to_resync
from conversations.services import messages

E, OTHER = str(uuid4()), str(uuid4())


@pytest.mark.parametrize(
    ("cursor", "strict", "reason"),
    [
        (Cursor(E, 5), True, None),
        (Cursor(E, 10), True, None),
        (Cursor(E, 11), True, "ahead"),
        (Cursor(OTHER, 5), True, "epoch"),
        (Cursor(OTHER, 11), True, "epoch"),
        (Cursor(None, 5), True, "epoch"),
        (Cursor(None, 5), False, None),
        (Cursor(None, 0), True, None),
        (Cursor(OTHER, 0), True, None),
        (Cursor(E, 1), True, "too_far"),
        (Cursor(None, 0), False, None),
    ],
)
def test_what_can_be_replayed(cursor: Cursor, strict: bool, reason: str | None) -> None:
    most = 8 if cursor.seq == 1 else None
    assert reason_to_resync(cursor, E, 10, most=most, strict=strict) == reason


def test_event_ids() -> None:
    assert cursors.parse_event_id(f" {E}:12 ") == Cursor(E, 12)
    for wrong in ("", "12", f"{E}:", f"{E}:-1", f"{E}:1:2", f"{E}:{'1' * 19}"):
        with pytest.raises(Problem, match="invalid"):
            cursors.parse_event_id(wrong)


def test_times() -> None:
    assert cursors.parse_time("2026-01-31T09:00:00+01:00") == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert cursors.parse_time("2026-01-31T09:00:00 01:00") == datetime(2026, 1, 31, 8, tzinfo=UTC)  # an unquoted +
    for wrong in ("", "now", "2026-01-31", "2026-01-31T09:00:00", "2026-02-31T09:00:00Z", "0001-01-01T00:00:00+05:00"):
        with pytest.raises(Problem, match="invalid"):
            cursors.parse_time(wrong)


def test_a_refusal_brings_the_snapshot(alice: User, conversation: UUID) -> None:
    messages.send(user=alice, conversation=conversation, text="Hello", cmid="1").result(30)
    with pytest.raises(Problem) as refused:
        cursors.check(Cursor(OTHER, 2), conversation)
    assert refused.value.extra == {"reason": "epoch", **selectors.snapshot(conversation)}
    cursors.check(Cursor(refused.value.extra["epoch"], 3), conversation)
