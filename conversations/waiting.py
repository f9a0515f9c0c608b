"""Waiting for an answer where nobody can be told of its end: a request that asks for it, a view of the deployer's."""

import time
from uuid import UUID

from django.db import connection

from conversations import selectors
from conversations.models import Run

PAUSE_SECONDS = 0.1


def wait_for(run: UUID, seconds: float) -> Run | None:
    """The run, once it has ended; None where `seconds` were over before. Holds no connection meanwhile, but in a
    transaction of the caller's."""
    until = time.monotonic() + seconds
    while (ended := selectors.ended_run(run)) is None and time.monotonic() < until:
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(PAUSE_SECONDS)
    return ended
