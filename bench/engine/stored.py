"""Whether what somebody has just seen is stored: looked up at once, for some of all deltas."""

import random
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg


class Stored:
    """Looks at one of so many (`every`), in a thread with a connection of its own."""

    def __init__(self, address: str, every: int) -> None:
        self._every = every
        self._chance = random.Random(1)
        self._pool = ThreadPoolExecutor(1)
        self._connection = psycopg.connect(address, autocommit=True)
        self._looked: list[Future[bool]] = []

    def look(self, run: str, end: int) -> None:
        """So much of an answer was seen."""
        if self._chance.random() < 1 / self._every:
            self._looked.append(self._pool.submit(self._is_stored, run, end))

    def result(self) -> tuple[int, int]:
        """How many were looked at, and how many of them were not stored."""
        found = [looked.result() for looked in self._looked]
        return len(found), found.count(False)

    def close(self) -> None:
        self._pool.shutdown()
        self._connection.close()

    def _is_stored(self, run: str, end: int) -> bool:
        row = self._connection.execute(
            "SELECT ended_at IS NOT NULL OR stored >= %s FROM conversations_run WHERE id = %s", [end, run]
        ).fetchone()
        return bool(row and row[0])
