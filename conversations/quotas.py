"""How many answers somebody may ask for: a minute, at the same time, and what they may take in a day.

What the database says is asked for now and then; between, what was asked for in this process is added to it. So with
many processes somebody may pass a quota by a little, and hardly any message costs a query for it.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q

from chatproject.lib import clock, metrics
from chatproject.lib.errors import Problem
from chatproject.lib.limits import take
from conversations.models import Run
from conversations.usage.columns import total

KNOWN_SECONDS = 5.0
# Users that are remembered at most.
KNOWN_MAX = 10_000
# When somebody with too many answers at the same time should try again.
RETRY_MS = 5000


@dataclass
class Known:
    """What the database said at `at`, and what was asked for since."""

    at: float
    active: int
    tokens: int
    since: int = 0


_known: dict[UUID, Known] = {}
_lock = Lock()


def ask(user: UUID) -> None:
    """Count one more answer that `user` asks for. Raises Problem `rate_limited`, `quota_exceeded`.

    Called in the transaction that queues it, last of all that may refuse it.
    """
    take("run", user)
    if not settings.LIMITS_APPLY or not (settings.RUNS_PER_USER or settings.TOKENS_PER_DAY):
        return
    with _lock:
        known = _known.get(user)
        if known is None or time.monotonic() > known.at + KNOWN_SECONDS or _is_over(known):
            known = _remember(user)
        if _is_over(known):
            raise _exceeded(known)
        known.since += 1


def _is_over(known: Known) -> bool:
    return _too_many(known) or _used_up(known)


def _too_many(known: Known) -> bool:
    return 0 < settings.RUNS_PER_USER <= known.active + known.since


def _used_up(known: Known) -> bool:
    return 0 < settings.TOKENS_PER_DAY <= known.tokens


def _exceeded(known: Known) -> Problem:
    if _too_many(known):
        metrics.rate_limited.labels("runs").inc()
        return Problem("quota_exceeded", "Too many of your questions wait for an answer.", retry_after_ms=RETRY_MS)
    metrics.rate_limited.labels("tokens").inc()
    rest = _midnight() + timedelta(days=1) - clock.now()
    detail = "Today's tokens are used up."
    return Problem("quota_exceeded", detail, retry_after_ms=round(rest.total_seconds() * 1000))


def _remember(user: UUID) -> Known:
    if len(_known) >= KNOWN_MAX:
        _known.clear()
    found = _known[user] = _read(user)
    return found


def _read(user: UUID) -> Known:
    """Those of the last day; nothing waits for longer."""
    runs = Run.objects.filter(requested_by=user, queued_at__gt=clock.now() - timedelta(days=1))
    active = Count("id", filter=Q(status__in=(Run.Status.QUEUED, Run.Status.RUNNING)))
    if not settings.TOKENS_PER_DAY:
        return Known(time.monotonic(), runs.aggregate(active=active)["active"], 0)
    today = Q(queued_at__gte=_midnight())
    row = runs.aggregate(active=active, sent=total("input_tokens", today), written=total("output_tokens", today))
    return Known(time.monotonic(), row["active"], int(row["sent"] + row["written"]))


def _midnight() -> datetime:
    return clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
