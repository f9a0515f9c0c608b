"""Whether PostgreSQL is known to be away, for all threads of this process."""

import time
from threading import Lock

from psycopg_pool import ConnectionPool

# Seconds without a try after one that failed.
PAUSE_SECONDS = 0.3
# Seconds within which whoever tries has an answer; then somebody else may.
TRY_SECONDS = 5.0


class Outage:
    """While there is one, a caller at a time tries whether it is over; the others need not wait for that."""

    def __init__(self) -> None:
        self._lock = Lock()
        # When somebody may try again; 0 while all is well.
        self._again = 0.0

    @property
    def known(self) -> bool:
        return self._again > 0

    def note(self) -> None:
        """No connection could be made."""
        self._again = time.monotonic() + PAUSE_SECONDS

    def over(self) -> None:
        """A connection was made."""
        self._again = 0.0

    def may_try(self) -> bool:
        """Whether the caller is the one who tries now, and tells by `note` or `over`."""
        with self._lock:
            now = time.monotonic()
            if now < self._again:
                return False
            self._again = now + TRY_SECONDS
            return True


outage = Outage()


def pool_gave_up(pool: ConnectionPool) -> None:
    """A pool's `reconnect_failed`."""
    outage.note()
