"""How often an answer is read and shown further: the more answers run in this process, the more of each at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

# As many answers are each handled every DELTA_MS; with more it takes longer, up to so many times.
FEW, SLOWEST = 10, 2.0
# A piece may come so much of the time between two of them too soon: a look at the connection is not punctual.
IN_STEP = 0.25

_running = 0


@contextmanager
def counted() -> Iterator[None]:
    """An answer runs while the block does."""
    global _running
    _running += 1
    try:
        yield
    finally:
        _running -= 1


def seconds() -> float:
    """From one piece of an answer to the next."""
    return settings.DELTA_MS / 1000 * min(SLOWEST, max(1.0, _running / FEW))
