"""The data key of each conversation, unwrapped at most once per process while it is in use."""

from collections.abc import Iterable
from threading import Lock
from uuid import UUID

from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.keyring import keyring as keyring
from conversations import erasures
from conversations.models import Conversation

CACHE_SIZE = 10_000

_cache: dict[UUID, DataKey] = {}
_lock = Lock()


def wrap(key: DataKey, conversation: UUID) -> str:
    """`key` as it may be stored in `Conversation.data_key`."""
    return keyring().wrap(key, conversation.hex)


def rewrap(wrapped: str, conversation: UUID) -> str:
    """The same key, wrapped by the primary key of now. Raises CryptoError where the one of before is missing."""
    return wrap(keyring().unwrap(wrapped, conversation.hex), conversation)


def remember(conversation: UUID, key: DataKey) -> None:
    erasures.watch()
    with _lock:
        while len(_cache) >= CACHE_SIZE:
            _cache.pop(next(iter(_cache)))
        _cache[conversation] = key


def forget(conversation: UUID) -> None:
    """Drop a key from memory, because it was destroyed."""
    with _lock:
        _cache.pop(conversation, None)


erasures.FORGETTERS.append(forget)


def find(conversation: UUID) -> DataKey | None:
    """The key of one conversation; None where it was destroyed, or there is no such conversation."""
    return load([conversation]).get(conversation)


def of(conversation: UUID) -> DataKey:
    """The key of one conversation. Raises Problem `not_found` where there is none."""
    return find(conversation) or _missing()


def of_row(row: Conversation) -> DataKey:
    """The key of a conversation whose row is at hand, without a query.

    Raises Problem `not_found` where it was destroyed, CryptoError where its primary key is missing.
    """
    known = _cache.get(row.id)
    if known is None and row.data_key:
        known = keyring().unwrap(row.data_key, row.id.hex)
        remember(row.id, known)
    return known or _missing()


def load(conversations: Iterable[UUID]) -> dict[UUID, DataKey]:
    """The keys of several conversations with one query at most; those that do not exist are left out."""
    wanted = set(conversations)
    found = {id_: _cache[id_] for id_ in wanted if id_ in _cache}
    missing = wanted - found.keys()
    if missing:
        rows = Conversation.objects.filter(id__in=missing).exclude(data_key="").values_list("id", "data_key")
        for id_, wrapped in rows:
            found[id_] = keyring().unwrap(wrapped, id_.hex)
            remember(id_, found[id_])
    return found


def _missing() -> DataKey:
    raise Problem("not_found")
