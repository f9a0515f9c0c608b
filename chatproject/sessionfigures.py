"""Figures of all sessions for `/metrics`: the database knows them, every machine tells the same."""

import time

from django.db import Error

from chatproject.lib import metrics
from conversations import selectors

# However often somebody asks, the database is asked this often at most.
SECONDS = 15.0
_next = 0.0


def refresh() -> None:
    """Bring the gauges up to date; while PostgreSQL is away they stay as they are."""
    global _next
    if time.monotonic() < _next:
        return
    _next = time.monotonic() + SECONDS
    try:
        found = selectors.session_figures()
    except Error:
        return
    metrics.sessions_open.set(found.open)
    metrics.sessions_last_hour.set(found.begun_last_hour)
    metrics.sessions_mean_seconds.set(found.mean.total_seconds())
    metrics.sessions_peak.set(found.peak)
