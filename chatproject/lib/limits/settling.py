"""Telling the other processes what was let through here, in a thread beside whoever is in a hurry.

So a limit that is not exact may be passed by a twentieth for each process; whoever did waits so much longer.
"""

import threading
import time
from collections.abc import Hashable
from queue import SimpleQueue

from chatproject.lib.limits.shared import shared
from chatproject.lib.limits.table import Limit
from chatproject.lib.limits.windows import Window

Due = tuple[Limit, Hashable, Window]

_queue: SimpleQueue[Due] = SimpleQueue()
_start = threading.Lock()
_started = False


def settle_soon(limit: Limit, key: Hashable, window: Window) -> None:
    """Have what is owed counted by all; called with the limit's lock, by whoever set `settling`."""
    if not _started:
        _begin()
    _queue.put((limit, key, window))


def _begin() -> None:
    global _started
    with _start:
        if not _started:
            threading.Thread(target=_run, name="limits", daemon=True).start()
            _started = True


def _run() -> None:
    while True:
        settle(*_queue.get())


def settle(limit: Limit, key: Hashable, window: Window) -> None:
    """Count what is owed; where it is more than all may together, the key waits until it would have been allowed."""
    amount, debt = limit.amount, window.debt
    wait = shared().hit(limit, key, amount, debt) if amount else None
    with limit.lock:
        window.settling = False
        window.debt -= debt
        if wait:
            window.blocked_until = time.monotonic() + max(wait, debt * limit.seconds / amount)
