"""Reads of one moment, the database's clock, and what a database error means for whoever asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.utils import Error
from psycopg_pool import PoolTimeout, TooManyRequests

from chatproject.lib import rows
from chatproject.lib.errors import Problem

LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"
READ_ONLY = "25006"
# Classes of SQLSTATE: connection exception, insufficient resources, operator intervention.
AWAY = ("08", "53", "57")
OURS = (DataError, IntegrityError, ProgrammingError)


def now() -> datetime:
    """The time by the database's clock, on which all servers agree; also within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def is_away(error: Exception) -> bool:
    """Whether nothing else would do better on this connection: it was lost or could not be had, the disk is full,
    or the server takes no writes (a standby, or one that was made read-only)."""
    state = sqlstate(error)
    if state == READ_ONLY:
        return True
    if not isinstance(error, OperationalError | InterfaceError) or state == QUERY_CANCELED:
        return False
    return not state or state.startswith(AWAY)


def is_unreachable(error: Exception) -> bool:
    """Whether no connection could be had at all: trying at once again would only wait once more."""
    return isinstance(error.__cause__, PoolTimeout | TooManyRequests)


def is_lock_timeout(error: Exception) -> bool:
    return sqlstate(error) == LOCK_NOT_AVAILABLE


def sqlstate(error: Exception) -> str:
    """PostgreSQL's code of an error that Django wrapped; empty where there is none."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def as_problem(error: Exception) -> Problem:
    """What a failed write is: `unavailable` where trying again can help, `internal` where it is our fault."""
    if isinstance(error, Problem):
        return error
    return Problem("unavailable", retry_after_ms=1000) if is_passing(error) else Problem("internal")


def is_passing(error: Exception) -> bool:
    """Whether the same may succeed later: it failed because of how PostgreSQL is now, not because of what was asked."""
    return isinstance(error, Error) and not isinstance(error, OURS)


@contextmanager
def one_moment() -> Iterator[None]:
    """All reads inside see the same state."""
    with transaction.atomic():
        with rows.one_round_trip():  # with its BEGIN
            rows.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
