"""Sessions, each seen by its own user alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
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


@dataclass(frozen=True)
class Ended:
    """Why a session is over, and the language in which its user is told."""

    reason: str
    language: str


def sessions_ended_within(age: timedelta, among: Iterable[UUID]) -> dict[UUID, Ended]:
    """Those of `among` that have ended in the last `age`, for the poll."""
    ended = set(Session.objects.filter(ended_at__gte=Now() - age).values_list("id", flat=True)) & set(among)
    if not ended:
        return {}
    rows = Session.objects.filter(id__in=ended).values_list("id", "reason", "user__language")
    return {id_: Ended(reason, language) for id_, reason, language in rows}


# Who has a socket or a stream is heard of every SESSION_RENEW_SECONDS; silent for longer, they are not there, even
# though they may take the session up again. The most at once: one more at each beginning, one less at each end.
FIGURES = """
WITH visit AS (
    SELECT started_at, last_seen,
           coalesce(ended_at, CASE WHEN kind <> 'http' AND last_seen < %(silent)s THEN last_seen END) AS left_at
    FROM conversations_session
    WHERE started_at <= %(now)s AND (ended_at IS NULL OR ended_at > %(day)s)
), step AS (
    SELECT greatest(started_at, %(day)s) AS at, 1 AS one FROM visit WHERE left_at IS NULL OR left_at > %(day)s
    UNION ALL
    SELECT left_at, -1 FROM visit WHERE left_at > %(day)s
), running AS (
    SELECT sum(one) OVER (ORDER BY at, one) AS here FROM step WHERE at <= %(now)s
)
SELECT count(*) FILTER (WHERE left_at IS NULL OR left_at > %(now)s),
       count(*) FILTER (WHERE started_at > %(hour)s),
       coalesce(avg(last_seen - started_at) FILTER (WHERE started_at > %(day)s), interval '0'),
       (SELECT coalesce(max(here), 0) FROM running)
FROM visit
"""
# Signs of life that may fail to come before somebody counts as gone.
MISSED = 3


@dataclass(frozen=True)
class SessionFigures:
    """Open now; begun in the last hour; of those of the last day, how long they lasted on average; the most at once."""

    open: int
    begun_last_hour: int
    mean: timedelta
    peak: int


def session_figures(at: datetime | None = None) -> SessionFigures:
    """For staff and `/metrics`, of all users; as of the moment `at`, or now."""
    now = at or clock.now()
    moments = {
        "now": now,
        "silent": now - timedelta(seconds=MISSED * settings.SESSION_RENEW_SECONDS),
        "hour": now - timedelta(hours=1),
        "day": now - timedelta(days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, moments)
        return SessionFigures(*cursor.fetchone())
