"""What becomes of conversations by themselves: idle ones are archived, archived ones erased where retention is
switched on, temporary ones erased when their time is over.

A pass may be killed at any moment: each conversation is one transaction, and what is left is found again.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from conversations import eventlog
from conversations.actors import SYSTEM
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import Conversation
from conversations.services import erasing, handoff, shares

log = logging.getLogger(__name__)

ARCHIVED = Conversation.Status.ARCHIVED.value
# Conversations of each kind in one pass at most; the next pass goes on.
MOST = 5000
# Appends that wait for a commit at the same time.
TOGETHER = 100


def live() -> None:
    """One pass over everything whose time has come: the periodic job."""
    archive_idle()
    erase_archived()
    erase_expired()
    shares.clear()


def archive_idle() -> None:
    """Archive what nobody has written to for ARCHIVE_AFTER_DAYS."""
    if not settings.ARCHIVE_AFTER_DAYS:
        return
    limit = Now() - timedelta(days=settings.ARCHIVE_AFTER_DAYS)
    idle = Conversation.objects.exclude(status=ARCHIVED).filter(updated_at__lt=limit, active_run=None)
    rows = _oldest(idle, "updated_at")
    for start in range(0, len(rows), TOGETHER):
        futures = [_archive(row) for row in rows[start : start + TOGETHER]]
        for future in futures:
            _count("archived", future.result)


def erase_archived() -> None:
    """Erase what was archived RETENTION_DAYS ago; nothing unless that is switched on."""
    if settings.RETENTION_DAYS:
        limit = Now() - timedelta(days=settings.RETENTION_DAYS)
        _erase("erased", Conversation.objects.filter(archived_at__lt=limit, erased_at=None), "archived_at")


def erase_expired() -> None:
    """Erase temporary conversations whose time is over."""
    _erase("expired", Conversation.objects.filter(expires_at__lt=Now(), erased_at=None), "expires_at")


def _oldest(rows: "QuerySet[Conversation]", by: str) -> Sequence[Conversation]:
    return list(rows.order_by(by).only("id", "version", "last_seq")[:MOST])


def _archive(row: Conversation) -> "Future[Committed]":
    """Archive one, unless something was written to it in the meantime (Problem `conflict`)."""
    change = Draft("conversation:update", {"status": ARCHIVED})

    def decide(state: State) -> Decision:
        if state.conversation.last_seq != row.last_seq:
            raise Problem("conflict")
        return Decision([change, *handoff.departing(state)])

    return eventlog.submit(Append(row.id, SYSTEM, f"idle:{row.last_seq}", decide))


def _erase(action: str, rows: "QuerySet[Conversation]", by: str) -> None:
    for row in _oldest(rows, by):
        _count(action, partial(erasing.erase_due, conversation=row.id, version=row.version))


def _count(action: str, act: Callable[[], Any]) -> None:
    """One that cannot be done now must not keep the others; the next pass finds it again."""
    try:
        act()
        metrics.lifecycle.labels(action).inc()
    except Problem as problem:
        log.info("a conversation was not %s now (%s)", action, problem.code.name)
