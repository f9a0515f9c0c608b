"""The tests' own database goes away, or is slow, for a while."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from asgiref.sync import SyncToAsync
from django.core.exceptions import SynchronousOnlyOperation
from django.db import OperationalError, connection, connections

from tests.conversations.support import another_connection

FOUND_SECONDS = 2.0
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@contextmanager
def database_away() -> Iterator[None]:
    """No connection to the database stands, and none can be made."""
    name = connection.settings_dict["NAME"]
    with another_connection("postgres") as other:
        other.autocommit = True
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            other.execute(TERMINATE, [name])
            _forget_dead_connections()
            yield
        finally:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            _forget_dead_connections()
            SyncToAsync.single_thread_executor.submit(_until_it_is_found).result()


def break_connections() -> None:
    """End all connections to the database at once, as its restart does; new ones can be made."""
    with another_connection("postgres") as other:
        other.execute(TERMINATE, [connection.settings_dict["NAME"]])
    _forget_dead_connections()


def _forget_dead_connections() -> None:
    """Those that this thread and the one for `sync_to_async` keep: elsewhere a request would have given them back."""
    with suppress(SynchronousOnlyOperation):  # in a coroutine: the fixture `reconnected` does it
        connection.close()
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


def _until_it_is_found() -> None:
    """The product tries again after a pause only; what comes next is not to meet with that."""
    give_up = time.monotonic() + FOUND_SECONDS
    while True:
        try:
            connection.ensure_connection()
            return connections.close_all()
        except OperationalError:
            assert time.monotonic() < give_up, "PostgreSQL is back, and nobody finds out"
            time.sleep(0.05)


@contextmanager
def database_read_only() -> Iterator[None]:
    """Nothing can be written, as to a standby."""
    name = connection.settings_dict["NAME"]
    with another_connection("postgres") as other:
        other.autocommit = True
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            break_connections()
            yield
        finally:
            other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            break_connections()
