"""The preferences of users as they were read or written last, in Redis under `user:{id}`.

A request reads the small columns of its user in any case: whether they may still log in is never taken from a cache.
What is large stays behind, and comes from here if it is of the version that the row names, in the database that it
comes from. So nothing stale is ever shown, whatever Redis missed while it was away.
"""

from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from accounts.models import User
from chatproject.lib import keyring, metrics
from chatproject.lib.crypto import CryptoError
from chatproject.lib.incarnation import incarnation
from chatproject.lib.volatile import volatile

PURPOSE = "states of users"
LARGE = "preferences"


class State(msgspec.Struct, array_like=True):
    """Preferences of one version of a user in one database."""

    user: UUID
    database: str
    version: int
    preferences: dict[str, Any]


def complete(user: User) -> User:
    """`user`, with what its loading left out: from Redis, or else all of it anew from PostgreSQL."""
    if LARGE not in user.get_deferred_fields():
        return user
    found = _find(user)
    metrics.user_states.labels("redis" if found else "miss").inc()
    if found:
        user.preferences = found.preferences
        return user
    return keep(User.objects.get(id=user.id))


def keep(user: User) -> User:
    """Keep the state of a user that was read or written just now, for USER_CACHE_SECONDS; gives the user."""
    if settings.USER_CACHE_SECONDS:
        state = State(user.id, incarnation(), user.version, user.preferences)
        sealed = keyring.seal(msgspec.msgpack.encode(state), PURPOSE)
        volatile().put(_name(user.id), sealed.encode(), settings.USER_CACHE_SECONDS)
    return user


def _find(user: User) -> State | None:
    sealed = volatile().get(_name(user.id)) if settings.USER_CACHE_SECONDS else None
    if sealed is None:
        return None
    try:
        state = msgspec.msgpack.decode(keyring.unseal(sealed.decode(), PURPOSE), type=State)
    except (CryptoError, ValueError, msgspec.DecodeError):
        return None
    return state if (state.user, state.database, state.version) == (user.id, incarnation(), user.version) else None


def _name(user: UUID) -> str:
    return f"user:{user}"
