"""What says who somebody is, of whatever kind: tokens of logins, of an outside provider, API keys. The one place
that knows all of them."""

from collections.abc import Collection
from uuid import UUID

from accounts import outside
from accounts.identities import Identity
from accounts.models import ApiKey, Login
from accounts.services import apikeys, logins, outsiders, tokens


def identify(secret: str) -> Identity:
    """Who shows `secret` in `Authorization: Bearer`, in `hello` or in `auth`.

    Raises Problem `unauthenticated` or `token_expired`; `unavailable` where the outside provider cannot be asked.
    """
    if secret.startswith(apikeys.MARK):
        return apikeys.identify(secret)
    return outsiders.identify(secret) if outside.is_outside(secret) else tokens.identify(secret)


def identity_of(login: UUID) -> Identity:
    """Who a login or key is, without its secret. Raises Problem `unauthenticated`."""
    return apikeys.identity(login) or logins.identity(login)


def living(ids: Collection[UUID]) -> set[UUID]:
    """Those that still count, of the logins and keys by which something is open."""
    found = Login.objects.living().filter(id__in=ids).values_list("id")
    keys = ApiKey.objects.living().filter(id__in=ids).values_list("id")
    return {id_ for (id_,) in found.union(keys, all=True)}


def note_uses(ids: Collection[UUID]) -> None:
    """Something is open by these logins and keys."""
    logins.note_uses(ids)
    apikeys.note_uses(ids)


def check(login: UUID) -> None:
    """Raises Problem `unauthenticated` where a login or key has ended."""
    if not living([login]):
        raise logins.ended()
