"""Access and refresh tokens (JWT). Each names the login that it belongs to, and ends with it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from accounts.identities import Identity
from accounts.models import Login, User
from accounts.origins import Origin
from accounts.services import logins
from accounts.signing import Access, Refresh
from chatproject.lib.errors import Problem

# The claim that names the login.
LOGIN_CLAIM = "lid"


def log_in(*, username: str, password: str, origin: Origin | None = None) -> dict[str, str]:
    """Access and refresh token for a name and password. Raises Problem `unauthenticated`."""
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        raise Problem("unauthenticated", "Unknown user name or wrong password.")
    return issue(user, origin)


def issue(user: User, origin: Origin | None = None) -> dict[str, str]:
    """Log a user in; the access and refresh token of the new login."""
    login = logins.begin(user=user, kind=Login.Kind.TOKEN, origin=origin)
    assert login.refresh_id
    return _pair(login, login.refresh_id)


def renew(refresh: str) -> dict[str, str]:
    """New tokens for a refresh token, which is used up. Raises Problem `unauthenticated`; used a second time, it ends
    its login."""
    token = _refresh_token(refresh)
    login = logins.find(token.get(LOGIN_CLAIM))
    return _pair(login, logins.rotate(login=login, used=UUID(token["jti"])))


def revoke(refresh: str) -> None:
    """End the login of a refresh token, and all that it opened. Raises Problem `unauthenticated`."""
    login = logins.find(_refresh_token(refresh).get(LOGIN_CLAIM))
    logins.end(login=login.id, reason=Login.Reason.LOGOUT)


def identify(raw: str) -> Identity:
    """Whose an access token is. Raises Problem: `token_expired` or `unauthenticated`."""
    try:
        token = Access(raw)  # type: ignore[arg-type]
    except TokenError as error:
        code = "token_expired" if "expired" in str(error) else "unauthenticated"
        raise Problem(code) from error
    login = logins.find(token.get(LOGIN_CLAIM))
    logins.note_use(login)
    return Identity(login.user, login.id, datetime.fromtimestamp(token["exp"], UTC), login.expires_at)


def renewed(identity: Identity) -> tuple[str, datetime]:
    """Another access token for somebody whose own is to be replaced, and when that expires."""
    assert identity.renewed_until
    token = _access(identity.user.id, identity.login, identity.renewed_until)
    return str(token), datetime.fromtimestamp(token["exp"], UTC)


def _pair(login: Login, refresh_id: UUID) -> dict[str, str]:
    refresh = _signable(Refresh(), login.user_id, login.id)
    refresh["jti"] = refresh_id.hex
    refresh["exp"] = int(login.expires_at.timestamp())
    return {"access": str(_access(login.user_id, login.id, login.expires_at)), "refresh": str(refresh)}


def _access(user: UUID, login: UUID, at_most: datetime) -> Token:
    token = _signable(Access(), user, login)
    whole = datetime.now(UTC) + timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
    token["exp"] = int(min(whole, at_most).timestamp())
    return token


def _signable(token: Token, user: UUID, login: UUID) -> Token:
    token["sub"] = str(user)
    token[LOGIN_CLAIM] = str(login)
    # A server whose clock is behind takes a token "issued in the future" for a forged one; `exp` has its leeway.
    del token["iat"]
    return token


def _refresh_token(raw: str) -> Refresh:
    try:
        return Refresh(raw)  # type: ignore[arg-type]
    except TokenError as error:
        raise Problem("unauthenticated", "This refresh token is not valid (any more).") from error
