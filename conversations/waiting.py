"""Waiting for an answer where nobody can be told of its end: a request that asks for it, a view of the deployer's."""

import time
from uuid import UUID

from django.db import connection

from accounts.services import credentials
from conversations import selectors
from conversations.models import Run

PAUSE_SECONDS = 0.1
# Seconds between two looks whether the login lives by which somebody waits.
LOGIN_SECONDS = 1


def wait_for(run: UUID, seconds: float, login: UUID | None = None) -> Run | None:
    """The run, once it has ended; None where `seconds` were over before. Holds no connection meanwhile, but in a
    transaction of the caller's. Raises Problem `unauthenticated` where `login` ends."""
    begun = time.monotonic()
    looked = begun
    while (ended := selectors.ended_run(run)) is None and time.monotonic() < begun + seconds:
        if login and time.monotonic() > looked + LOGIN_SECONDS:
            credentials.check(login)
            looked = time.monotonic()
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(PAUSE_SECONDS)
    return ended
