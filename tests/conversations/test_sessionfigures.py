"""How many sessions there are, told from their rows: on days long past, on which only these took place."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from conversations import selectors
from conversations.models import Session

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=3 * random.randrange(3000))


def visit(user: User, began: datetime, seen: datetime, ended: datetime | None = None, kind: str = "websocket") -> None:
    Session.objects.create(user=user, kind=kind, started_at=began, last_seen=seen, ended_at=ended)


def test_open_begun_mean_and_peak(alice: User, now: datetime) -> None:
    visit(alice, now - 20 * HOUR, now - 19 * HOUR, now - 19 * HOUR)
    visit(alice, now - 20 * HOUR, now - 17 * HOUR, now - 17 * HOUR)
    visit(alice, now - 18 * HOUR, now - 16 * HOUR, now - 16 * HOUR)
    visit(alice, now - 30 * MINUTE, now)
    found = selectors.session_figures(at=now)
    assert (found.open, found.begun_last_hour, found.peak) == (1, 1, 2)
    assert found.mean == (HOUR + 3 * HOUR + 2 * HOUR + 30 * MINUTE) / 4
    assert selectors.session_figures(at=now - 18 * HOUR - 30 * MINUTE).open == 1


def test_who_came_before_the_day_began_is_there_too(alice: User, now: datetime) -> None:
    visit(alice, now - 30 * HOUR, now - HOUR, now - HOUR)
    visit(alice, now - 2 * HOUR, now - HOUR, now - HOUR)
    assert selectors.session_figures(at=now).peak == 2


def test_one_after_the_other_are_never_two(alice: User, now: datetime) -> None:
    visit(alice, now - 3 * HOUR, now - 2 * HOUR, now - 2 * HOUR)
    visit(alice, now - 2 * HOUR, now - HOUR, now - HOUR)
    assert selectors.session_figures(at=now).peak == 1


def test_who_fell_silent_is_not_there_but_back_ends_keep_theirs(alice: User, now: datetime) -> None:
    visit(alice, now - HOUR, now - 10 * MINUTE)
    assert selectors.session_figures(at=now).open == 0
    visit(alice, now - HOUR, now - 10 * MINUTE, kind="http")
    assert selectors.session_figures(at=now).open == 1
    Session.objects.filter(user=alice).delete()
