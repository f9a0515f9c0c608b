"""Sessions, each seen by its own user alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Avg, Count, F, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from conversations.models import Session


def sessions_of(user: User) -> QuerySet[Session]:
    """The sessions of `user`, the newest first."""
    return Session.objects.filter(user=user).order_by("-started_at", "-id")


def session_for(user: User, id_: UUID) -> Session:
    """A session of `user`. Raises Problem `not_found`."""
    found = Session.objects.filter(user=user, id=id_).first()
    if found is None:
        raise Problem("not_found")
    return found


def sessions_ended_within(age: timedelta, among: Iterable[UUID]) -> set[UUID]:
    """Those of `among` that have ended in the last `age`, for the poll."""
    ended = set(Session.objects.filter(ended_at__gte=Now() - age).values_list("id", flat=True))
    return ended & set(among)


# The most that were open at once: one more at each beginning, one less at each end.
PEAK = """
SELECT coalesce(max(open), 0) FROM (
    SELECT sum(step) OVER (ORDER BY at, step) AS open FROM (
        SELECT started_at AS at, 1 AS step FROM conversations_session WHERE started_at > %(since)s
        UNION ALL
        SELECT ended_at, -1 FROM conversations_session WHERE started_at > %(since)s AND ended_at IS NOT NULL
    ) AS steps
) AS running
"""


@dataclass(frozen=True)
class SessionFigures:
    """Open now; begun in the last hour; of those begun in the last day, how long they lasted, and the most at once."""

    open: int
    begun_last_hour: int
    mean: timedelta
    peak: int


def session_figures() -> SessionFigures:
    """For staff, of all users."""
    now = clock.now()
    day = now - timedelta(days=1)
    found = Session.objects.filter(started_at__gt=day).aggregate(
        hour=Count("id", filter=Q(started_at__gt=now - timedelta(hours=1))), mean=Avg(F("last_seen") - F("started_at"))
    )
    with connection.cursor() as cursor:
        cursor.execute(PEAK, {"since": day})
        peak = cursor.fetchone()[0]
    open_ = Session.objects.filter(ended_at=None).count()
    return SessionFigures(open_, found["hour"], found["mean"] or timedelta(), int(peak))
