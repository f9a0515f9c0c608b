"""A connection that works, or an error soon, whatever becomes of PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections

from chatproject.lib import metrics
from chatproject.lib.database import as_problem, is_unreachable
from chatproject.lib.postgresql.outage import PAUSE_SECONDS
from tests.outages import break_connections, database_away

WAIT = settings.DB_WAIT_MS / 1000
SOON = 0.5


def ask(statement: str = "SELECT 1") -> float:
    """Ask as a request does, with a connection that is given back; the seconds that it took."""
    begun = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connections.close_all()
    return time.monotonic() - begun


def refused() -> float:
    """Seconds until it is said that there is no connection."""
    begun = time.monotonic()
    with pytest.raises(OperationalError) as caught:
        ask()
    assert is_unreachable(caught.value)
    assert as_problem(caught.value).code.name == "unavailable"
    return time.monotonic() - begun


@contextmanager
def asked(count: int, ask: Callable[[], float]) -> Iterator[list[Future[float]]]:
    """Ask `count` times at the same time."""
    with ThreadPoolExecutor(count) as threads:
        yield [threads.submit(ask) for _ in range(count)]


def refusals(reason: str) -> float:
    return metrics.refusals.labels(reason)._value.get()


def test_a_restart_costs_nobody_an_error() -> None:
    """A pool that is full of broken connections: psycopg's own would give up after the third."""
    with asked(settings.DB_POOL_SIZE, lambda: ask("SELECT pg_sleep(0.3)")) as answers:
        pass
    assert max(answer.result() for answer in answers) < WAIT
    break_connections()
    with asked(4, ask) as answers:
        assert max(answer.result() for answer in answers) < 1


def test_away_it_is_said_at_once_and_back_it_is_found_soon() -> None:
    before = refusals("away")
    with database_away():
        assert refused() < WAIT + SOON
        with asked(20, refused) as answers:
            assert max(answer.result() for answer in answers) < SOON
        time.sleep(PAUSE_SECONDS)
        assert refused() < SOON
    assert refusals("away") >= before + 22
    time.sleep(PAUSE_SECONDS)
    assert ask() < SOON


def test_all_connections_in_use() -> None:
    """Whoever cannot be served is told in time; whoever comes when it is over is served."""
    before = refusals("connections")
    slow = f"SELECT pg_sleep({2 * WAIT})"
    with asked(2 * settings.DB_POOL_SIZE, lambda: ask(slow)) as answers:
        time.sleep(WAIT + SOON)
        told = [answer for answer in answers if answer.done()]
        assert settings.DB_POOL_SIZE <= len(told) < 2 * settings.DB_POOL_SIZE
        assert all(isinstance(answer.exception(), OperationalError) for answer in told)
    served = [answer for answer in answers if answer not in told]
    assert all(answer.result() >= 2 * WAIT for answer in served)
    assert refusals("connections") >= before + len(told)
    assert ask() < SOON


def test_nothing_may_take_for_ever() -> None:
    """Neither a statement, nor waiting for a lock, nor a transaction that somebody forgot."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name LIKE '%%_timeout'", [])
        limits = dict(cursor.fetchall())
    assert limits["statement_timeout"] == settings.STATEMENT_TIMEOUT_MS
    assert limits["lock_timeout"] == settings.LOCK_TIMEOUT_MS
    assert limits["idle_in_transaction_session_timeout"] == 5000
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SET LOCAL statement_timeout = 50; SELECT pg_sleep(5)")
    connections.close_all()
