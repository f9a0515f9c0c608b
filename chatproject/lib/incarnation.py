"""Which database this is: a restored or failed-over one is another, whatever its rows say."""

from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

# pg_control_checkpoint() would tell the timeline only from the first checkpoint after a failover on.
INCARNATION = (
    "SELECT system_identifier || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()"
)

# Asked for once per connection: a server that becomes another incarnation ends its connections first.
_known: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def incarnation() -> str:
    """`<system identifier>:<timeline>` of the database that this thread is connected to."""
    connection.ensure_connection()
    known = _known.get(connection.connection)
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute(INCARNATION)
            known = _known[connection.connection] = cursor.fetchone()[0]
    return known
