"""Access and refresh tokens (JWT), and tickets."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import cast

from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models.functions import Now
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import Ticket, User
from accounts.services import addresses, factors, users
from chatproject.lib.errors import Problem

AUTH_VERSION_CLAIM = "av"


def log_in(*, username: str, password: str, otp: str = "") -> dict[str, str]:
    """Access and refresh token for a name and password, and a code of a second factor where the user has one.

    Raises Problem `unauthenticated`.
    """
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        raise Problem("unauthenticated", "Unknown user name or wrong password.")
    factors.check(user, otp)
    addresses.require_confirmed(user)
    return issue(user)


def issue(user: User) -> dict[str, str]:
    refresh = RefreshToken.for_user(user)
    refresh[AUTH_VERSION_CLAIM] = user.auth_version
    access = refresh.access_token
    for token in (access, refresh):
        # A server whose clock is behind takes a token "issued in the future" for a forged one; `exp` has its leeway.
        del token["iat"]
    return {"access": str(access), "refresh": str(refresh)}


def renew(refresh: str) -> dict[str, str]:
    """New tokens for a refresh token, which is used up. Raises Problem `unauthenticated`."""
    token = _refresh_token(refresh)
    user = _user_of(token)
    _, is_first = cast("tuple[object, bool]", token.blacklist())  # get_or_create: one of many gets True
    if not is_first:
        raise _used_up()
    return issue(user)


def revoke(refresh: str) -> None:
    """End a login: its refresh token is worth nothing from now on. Raises Problem `unauthenticated`."""
    _refresh_token(refresh).blacklist()


def user_of_access(raw: str) -> tuple[User, datetime]:
    """User and expiry of an access token. Raises Problem: `token_expired` or `unauthenticated`."""
    try:
        token = AccessToken(raw)  # type: ignore[arg-type]
    except TokenError as error:
        code = "token_expired" if "expired" in str(error) else "unauthenticated"
        raise Problem(code) from error
    return _user_of(token), datetime.fromtimestamp(token["exp"], UTC)


def issue_ticket(user: User) -> str:
    """A secret that opens one socket as `user` within TICKET_SECONDS, by the clock of the database."""
    secret = secrets.token_urlsafe(32)
    expires_at = Now() + timedelta(seconds=settings.TICKET_SECONDS)
    Ticket.objects.filter(expires_at__lt=Now()).delete()
    Ticket.objects.create(digest=_digest(secret), user=user, expires_at=expires_at)
    return secret


def redeem_ticket(secret: str) -> User:
    """The user of a ticket, which is used up. Raises Problem `unauthenticated`."""
    ticket = Ticket.objects.select_related("user").filter(digest=_digest(secret)).first()
    used = Ticket.objects.filter(digest=_digest(secret), expires_at__gt=Now()).delete()[0]
    if ticket is None or not used or not ticket.user.is_active:
        raise Problem("unauthenticated", "This ticket is not valid (any more).")
    return ticket.user


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _refresh_token(raw: str) -> RefreshToken:
    try:
        return RefreshToken(raw)  # type: ignore[arg-type]
    except TokenError as error:
        raise _used_up() from error


def _used_up() -> Problem:
    return Problem("unauthenticated", "This refresh token is not valid (any more).")


def _user_of(token: AccessToken | RefreshToken) -> User:
    user = users.light().filter(id=token["sub"], is_active=True).first()
    if user is None or token.get(AUTH_VERSION_CLAIM) != user.auth_version:
        raise Problem("unauthenticated", "This login has ended.")
    return user
