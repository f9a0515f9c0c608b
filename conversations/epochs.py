"""Epochs as clients see them: the row's, mixed with the incarnation of the database that says it.

A restored database brings its old epochs and lower heads back. Its system identifier or its timeline is
another one, though (PostgreSQL documentation, "Timelines"), so that cursors of before are answered `resync`.
A data folder that was copied back file by file keeps both: `manage.py new_epoch` is for that.
"""

import hashlib
from uuid import UUID

from chatproject.lib.incarnation import incarnation as incarnation

# The bits of a UUIDv7 that are random (RFC 9562 section 5.7: rand_b).
RANDOM_BITS = 62


def visible(epoch: UUID) -> str:
    """The epoch that clients see for a row read on this thread's connection; a UUIDv7 of the same time."""
    return mixed(epoch, incarnation())


def mixed(epoch: UUID, of: str) -> str:
    digest = hashlib.sha256(of.encode()).digest()
    return str(UUID(int=epoch.int ^ (int.from_bytes(digest) >> (256 - RANDOM_BITS))))
