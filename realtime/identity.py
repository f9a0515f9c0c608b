"""Who opens a socket: a token or ticket in `hello`, a bearer at the handshake, or the session cookie.

The cookie counts only where the page that opens the socket is ours: Origin is the browser's word, and other
programs do not need cookies (PROTOCOL.md section 4).
"""

from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.errors import Problem
from realtime.protocol import Hello


def identify(headers: dict[str, str], hello: Hello) -> User:
    """The user behind a handshake and its `hello`. Raises Problem `unauthenticated` or `token_expired`."""
    if hello.token:
        return tokens.user_of_access(hello.token)[0]
    if hello.ticket:
        return tokens.redeem_ticket(hello.ticket)
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return tokens.user_of_access(bearer.strip())[0]
    user = _by_cookie(headers) if _is_own_page(headers) else None
    if user is None:
        raise Problem("unauthenticated")
    return user


def headers_of(scope: dict[str, Any]) -> dict[str, str]:
    """The handshake's headers; of doubled ones the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _is_own_page(headers: dict[str, str]) -> bool:
    origin = urlsplit(headers.get("origin", ""))
    if not origin.netloc:
        return False
    own = origin.netloc == headers.get("host") and origin.scheme in (
        ("https",) if settings.HTTPS else ("http", "https")
    )
    return own or f"{origin.scheme}://{origin.netloc}" in settings.CSRF_TRUSTED_ORIGINS


def _by_cookie(headers: dict[str, str]) -> User | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if morsel is None:
        return None
    request = HttpRequest()
    request.session = SessionStore(morsel.value)
    user = auth.get_user(request)
    return user if isinstance(user, User) and user.is_active else None
