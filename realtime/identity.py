"""Who opens a socket: a token or ticket in `hello`, a bearer at the handshake, or the session cookie.

The cookie counts only where the page that opens the socket is ours: Origin is the browser's word, and other
programs do not need cookies (PROTOCOL.md section 4).
"""

from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from accounts import browser
from accounts.browsersessions import SessionStore
from accounts.identities import Identity
from accounts.services import credentials, tickets
from chatproject.lib.errors import Problem
from realtime.protocol import Hello


def identify(headers: dict[str, str], hello: Hello) -> Identity:
    """Who is behind a handshake and its `hello`. Raises Problem `unauthenticated` or `token_expired`."""
    if hello.token:
        return credentials.identify(hello.token)
    if hello.ticket:
        return tickets.redeem(hello.ticket)
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.identify(bearer.strip())
    identity = _by_cookie(headers) if _is_own_page(headers) else None
    if identity is None:
        raise Problem("unauthenticated")
    return identity


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


def _by_cookie(headers: dict[str, str]) -> Identity | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if morsel is None:
        return None
    request = HttpRequest()
    request.session = SessionStore(morsel.value)
    return browser.identity_of(request)
