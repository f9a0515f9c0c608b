"""How a connection to PostgreSQL is had: one that works, or an error soon.

psycopg's pool tries one idle connection after the other, a second apart: after a restart of PostgreSQL the
first requests would wait in vain. And while it is away everybody would wait for as long as the pool allows:
where many clients share a few threads, hardly anybody would be told in time.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from chatproject.lib import metrics
from chatproject.lib.postgresql.outage import outage


class DatabaseWrapper(base.DatabaseWrapper):
    """Needs CONN_HEALTH_CHECKS off (this does it better) and `pool_gave_up` as the pool's `reconnect_failed`."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection that answers. Raises OperationalError of psycopg, at once while PostgreSQL is known to
        be away; Django wraps it."""
        if not self.pool:
            return super().get_new_connection(conn_params)
        if outage.known:
            _see_whether_it_is_over(conn_params)
        try:
            return self._answering(conn_params)
        except (PoolTimeout, TooManyRequests):
            metrics.refusals.labels("away" if outage.known else "connections").inc()
            raise

    def _answering(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        try:
            ConnectionPool.check_connection(connection)
        except psycopg.OperationalError:
            # What else idles in the pool is hardly better: all of it is replaced at once.
            self.pool.putconn(connection)
            self.pool.check()
            connection = super().get_new_connection(conn_params)
        return connection


def _see_whether_it_is_over(conn_params: dict[str, Any]) -> None:
    """Raise PoolTimeout while it is not, or somebody else is trying."""
    if not outage.may_try():
        metrics.refusals.labels("away").inc()
        raise PoolTimeout("PostgreSQL is away.")
    try:
        psycopg.connect(**conn_params).close()
    except psycopg.OperationalError as error:
        outage.note()
        metrics.refusals.labels("away").inc()
        raise PoolTimeout("PostgreSQL is away.") from error
    outage.over()
