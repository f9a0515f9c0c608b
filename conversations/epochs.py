"""Epochs as clients see them: the row's, mixed with the incarnation of the database that says it.

A restored database brings its old epochs and lower heads back. Its system identifier or its timeline is
another one, though (PostgreSQL documentation, "Timelines"), so that cursors of before are answered `resync`.
A data folder that was copied back file by file keeps both: `manage.py new_epoch` is for that.
"""

import hashlib
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connection

# pg_control_checkpoint() would tell the timeline only from the first checkpoint after a failover on.
INCARNATION = (
    "SELECT system_identifier || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()"
)
# The bits of a UUIDv7 that are random (RFC 9562 section 5.7: rand_b).
RANDOM_BITS = 62

# Asked for once per connection: a server that becomes another incarnation ends its connections first.
_known: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def visible(epoch: UUID) -> str:
    """The epoch that clients see for a row read on this thread's connection; a UUIDv7 of the same time."""
    return mixed(epoch, incarnation())


def mixed(epoch: UUID, of: str) -> str:
    digest = hashlib.sha256(of.encode()).digest()
    return str(UUID(int=epoch.int ^ (int.from_bytes(digest) >> (256 - RANDOM_BITS))))


def incarnation() -> str:
    """Which database this is, `<system identifier>:<timeline>`, of the one that this thread is connected to."""
    connection.ensure_connection()
    known = _known.get(connection.connection)
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute(INCARNATION)
            known = _known[connection.connection] = cursor.fetchone()[0]
    return known
