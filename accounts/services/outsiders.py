"""Users of an outside provider: found by who it says they are, made the first time they come."""

import re
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit, outside
from accounts.identities import Identity
from accounts.models import Login, OutsideAccount, User
from accounts.services import logins
from chatproject.lib.ids import new_id

Claims = dict[str, Any]
NOT_IN_NAMES = re.compile(r"[^\w.@+-]")
NAME_LENGTH = 100


def identify(raw: str) -> Identity:
    """Whose a token of the provider is. Raises Problem: `token_expired`, `unauthenticated` or `unavailable`."""
    claims = outside.claims_of(raw)
    by = {"issuer": claims["iss"], "subject": str(claims["sub"])}
    account = OutsideAccount.objects.select_related("user", "login").filter(**by).first() or _join(by, claims)
    login = _login(account, datetime.fromtimestamp(claims["iat"], UTC))
    return Identity(account.user, login.id, datetime.fromtimestamp(claims["exp"], UTC))


def _join(by: dict[str, str], claims: Claims) -> OutsideAccount:
    """Make a user for somebody who comes for the first time; of two requests at once one does."""
    try:
        with transaction.atomic():
            user = User(username=_free_name(claims), name=str(claims.get("name", ""))[:150])
            user.set_unusable_password()
            user.save(force_insert=True)
            audit.record(actor=user.id, action="user.registered", target=("user", user.id), issuer=by["issuer"])
            return OutsideAccount.objects.create(**by, user=user)
    except IntegrityError:
        return OutsideAccount.objects.select_related("user", "login").get(**by)


def _free_name(claims: Claims) -> str:
    wanted = NOT_IN_NAMES.sub("", str(claims.get("preferred_username", "")))[:NAME_LENGTH] or "user"
    taken = User.objects.filter(username__iexact=wanted).exists()
    return f"{wanted}-{new_id().hex[-8:]}" if taken else wanted


def _login(account: OutsideAccount, issued_at: datetime) -> Login:
    """The login that the provider's tokens belong to. Where it was ended, only a token issued since begins another.

    Raises Problem `unauthenticated`.
    """
    if account.login and Login.objects.living().filter(id=account.login.id).exists():
        logins.note_use(account.login)
        return account.login
    with transaction.atomic():
        # What it refers to is read once it is ours: what was joined would be as it was before we waited.
        current = OutsideAccount.objects.select_for_update().get(id=account.id)
        if current.login_id != account.login_id:
            return _login(current, issued_at)
        ended = current.login and current.login.ended_at
        if not current.user.is_active or (ended and issued_at <= ended):
            raise logins.ended()
        current.login = logins.begin(user=current.user, kind=Login.Kind.OUTSIDE)
        current.save(update_fields=["login"])
        return current.login
