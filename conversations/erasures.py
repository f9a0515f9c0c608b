"""Noticing erased conversations: every process forgets what it holds of them, with Redis away too.

What keeps content or keys in a process's memory puts a function into FORGETTERS. A thread looks for
conversations that were erased lately; it starts with the first thing to be kept.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections

from chatproject.lib import database
from conversations.models import Conversation

log = logging.getLogger(__name__)

FORGETTERS: list[Callable[[UUID], None]] = []
# Half of the 2 s within which nothing may be left (PROTOCOL.md section 2) is enough for one look that is late.
LOOK_SECONDS = 0.5
# How far a look reaches back beyond the one before: longer than an erasure takes until it is committed.
MARGIN = timedelta(minutes=3)
# A reader that began before the erasure may put what it read into a cache after the first look, but not later
# than a statement takes: everything is forgotten once more.
AGAIN_SECONDS = 30

_start = threading.Lock()
_thread: threading.Thread | None = None
_over = threading.Event()


def forget(conversation: UUID) -> None:
    """Drop everything that this process holds of a conversation in memory."""
    for forgetter in FORGETTERS:
        forgetter(conversation)


def watch() -> None:
    """Have this process notice erasures from now on; to be called when something is kept. Cheap."""
    global _thread
    if _thread is None:
        with _start:
            if _thread is None:
                _thread = threading.Thread(target=_run, name="erasures", daemon=True)
                _thread.start()


def end() -> None:
    """Look no more: the database goes away, and this process with it."""
    _over.set()
    if _thread:
        _thread.join()


class Watch:
    """What one process has noticed; `forget` is called with each conversation, twice."""

    def __init__(self, forget: Callable[[UUID], None] = forget) -> None:
        self._forget = forget
        self._since: datetime | None = None
        # When each was forgotten first; infinite where that was done again.
        self._noticed: dict[UUID, float] = {}

    def look(self) -> None:
        """Forget what was erased since the look before."""
        now = database.now()
        rows = Conversation.objects.filter(erased_at__gt=(self._since or now) - MARGIN)
        lately = set(rows.values_list("id", flat=True))
        self._noticed = {id_: at for id_, at in self._noticed.items() if id_ in lately}
        for conversation in lately:
            self._notice(conversation)
        self._since = now

    def _notice(self, conversation: UUID) -> None:
        first = self._noticed.get(conversation)
        if first is None:
            self._noticed[conversation] = time.monotonic()
            self._forget(conversation)
        elif time.monotonic() - first > AGAIN_SECONDS:
            self._noticed[conversation] = math.inf
            self._forget(conversation)


def _run() -> None:
    noticing = Watch()
    while not _over.wait(LOOK_SECONDS):
        try:
            noticing.look()
        except Exception as error:
            log.warning("erasures could not be looked for, which is tried again: %s", type(error).__name__)
        finally:
            connections.close_all()
