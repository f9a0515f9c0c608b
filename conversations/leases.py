"""Holding a lease while something goes on that may take longer than it lasts."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections

log = logging.getLogger(__name__)


@contextmanager
def held(what: str, renew: Callable[[], object], *, every: float, most: int | None = None) -> Iterator[None]:
    """Call `renew` every so many seconds, `most` times at most, in a thread of its own, while the block runs."""
    over = threading.Event()
    thread = threading.Thread(
        target=_renew, args=(what, renew, every, most, over), name=f"lease of {what}", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(what: str, renew: Callable[[], object], every: float, most: int | None, over: threading.Event) -> None:
    times = 0
    while times != most and not over.wait(every):
        times += 1
        try:
            renew()
        except Exception as error:
            log.warning("the lease of %s could not be renewed: %s", what, type(error).__name__)
        finally:
            connections.close_all()
