"""From words to keyed hashes: all that the database sees of them.

The key is the conversation's own, so that equal words of two conversations have nothing in common, rotating
primary keys changes nothing, and erasing the key makes the hashes meaningless.

A conversation is cut into stretches of STRETCH events, and a hash says in which stretch its word stands. So a
word that is in every message of a long conversation is found in its newest stretch, without reading through
all the others.
"""

from collections.abc import Iterable

from chatproject.lib.crypto import DataKey

STRETCH = 8192
# 2^64 divided by the golden ratio: multiples of it lie far apart (Knuth, TAOCP volume 3, 6.4).
_SPREAD = 0x9E3779B97F4A7C15
# PostgreSQL's bigint has a sign; hashes use the 63 bits beside it.
_BITS = (1 << 63) - 1


def stretch_of(seq: int) -> int:
    return seq // STRETCH


def hashed(key: DataKey, terms: Iterable[str]) -> list[int]:
    """The hashes of `terms` without a place. They take a while, and need no seq: made before the lock."""
    return [key.hash_word(term) & _BITS for term in terms]


def placed(hashes: Iterable[int], stretch: int) -> list[int]:
    """`hashes` as they are stored for words of this stretch."""
    offset = stretch * _SPREAD
    return [(value + offset) & _BITS for value in hashes]
