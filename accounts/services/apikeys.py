"""Verbs on API keys: make, use, revoke. The secret is shown once; only its hash is stored."""

import hashlib
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts import audit
from accounts.identities import Identity, Scope
from accounts.models import ApiKey, User
from chatproject.lib import clock
from chatproject.lib.errors import Problem

# What every secret begins with, so that people and scanners of leaked secrets know it.
MARK = "ck_"
# Characters of the secret that its owner knows it by.
PREFIX = len(MARK) + 8
# The time of use is written once in so many seconds at most.
USE_NOTED = timedelta(seconds=60)


@transaction.atomic
def create(*, user: User, name: str, scopes: Collection[str]) -> tuple[ApiKey, str]:
    """A new key and its secret, which is nowhere else. Raises Problem `quota_exceeded` beyond API_KEYS_PER_USER."""
    User.objects.select_for_update(no_key=True).get(id=user.id)  # two at once are counted one after the other
    if ApiKey.objects.living().filter(user=user).count() >= settings.API_KEYS_PER_USER:
        raise Problem("quota_exceeded", f"At most {settings.API_KEYS_PER_USER} keys; revoke one first.")
    secret = MARK + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user=user, name=name, prefix=secret[:PREFIX], digest=_digest(secret), scopes=sorted(set(scopes))
    )
    audit.record(actor=user.id, action="api_key.created", target=("api_key", key.id), scopes=key.scopes)
    return key, secret


def identify(secret: str) -> Identity:
    """Whose a key is, and what it may do. Raises Problem `unauthenticated`."""
    return _identity(ApiKey.objects.living().select_related("user").filter(digest=_digest(secret)).first())


def identity(id_: UUID) -> Identity | None:
    """The same by the key's id; None where there is no such key."""
    key = ApiKey.objects.living().select_related("user").filter(id=id_).first()
    return _identity(key) if key else None


@transaction.atomic
def revoke(*, key: UUID, of: User | None = None, actor: User) -> None:
    """End a key and what it opened, within two seconds on every server. Raises Problem `not_found` unless there is
    one, of the user `of` where given."""
    rows = ApiKey.objects.filter(id=key, revoked_at=None)
    if of is not None:
        rows = rows.filter(user=of)
    if not rows.update(revoked_at=Now()):
        raise Problem("not_found", "There is no such key.")
    audit.record(actor=actor.id, action="api_key.revoked", target=("api_key", key))


def note_uses(ids: Collection[UUID]) -> None:
    """These keys are used just now."""
    long_ago = Q(last_used=None) | Q(last_used__lt=Now() - USE_NOTED)
    ApiKey.objects.filter(long_ago, id__in=ids).update(last_used=Now())


def _identity(key: ApiKey | None) -> Identity:
    if key is None:
        raise Problem("unauthenticated", "This API key is not valid (any more).")
    if key.last_used is None or clock.now() - key.last_used > USE_NOTED:
        with suppress(DatabaseError), transaction.atomic():  # no reason to refuse it
            note_uses([key.id])
    return Identity(key.user, key.id, scopes=frozenset(map(Scope, key.scopes)))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
