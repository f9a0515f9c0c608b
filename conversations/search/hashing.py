"""From words to keyed hashes: all that the database sees of them.

The key is the conversation's own, so that equal words of two conversations have nothing in common, rotating
primary keys changes nothing, and erasing the key makes the hashes meaningless.

A conversation is cut into stretches of STRETCH events. The upper half of what is stored says in which stretch of
which conversation the word stands: so a word that is in every message of a long conversation is found in its newest
stretch, without reading through all the others; a message's words lie side by side in the index, which is what
inserting them costs; and no list of places gets long (docs/decisions/0012-search-on-hashes.md).
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from chatproject.lib import crypto
from chatproject.lib.crypto import DataKey
from conversations import erasures

STRETCH = 1024
# PostgreSQL's bigint has a sign, and 63 bits beside it: 31 for the place, 32 for the word.
_WORD_BITS = 32
_WORD = (1 << _WORD_BITS) - 1
# Words of conversations under way, which say the same words again and again.
_hash = lru_cache(65536)(crypto.hash_word)
erasures.FORGETTERS.append(lambda _: _hash.cache_clear())


def stretch_of(seq: int) -> int:
    return seq // STRETCH


def hashed(key: DataKey, terms: Iterable[str]) -> list[int]:
    """The hashes of `terms` without a place. They take a while, and need no seq: made before the lock."""
    secret = key.search_secret
    return [_hash(secret, term) & _WORD for term in terms]


def placed(hashes: Iterable[int], conversation: UUID, stretch: int) -> list[int]:
    """`hashes` as they are stored for words of this stretch."""
    place = _place(conversation, stretch)
    return [place | value for value in hashes]


@lru_cache(4096)
def _place(conversation: UUID, stretch: int) -> int:
    """No secret: which conversation it is stands beside it."""
    digest = blake2b(conversation.bytes + stretch.to_bytes(8, "big"), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1 << _WORD_BITS
