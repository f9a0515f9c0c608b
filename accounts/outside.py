"""Tokens of an outside provider: whether one is genuine, and meant for us.

Only what OUTSIDE_ALGORITHM signed counts, for our audience, by that issuer; its keys are fetched from
OUTSIDE_JWKS_URL, kept, and fetched again for a key that is not known, but not as often as somebody invents one.
"""

import logging
import threading
import time
from typing import Any

import httpx2 as httpx
import jwt
from django.conf import settings

from chatproject.lib.errors import Problem

log = logging.getLogger(__name__)

FETCH_SECONDS = 5
# Those whose keys can be public.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# Claims without which nobody can be told from anybody, or a token never ends.
NEEDED = ["exp", "iat", "sub", "iss", "aud"]


class Keys:
    """The provider's public keys by their names; one set for a process."""

    def __init__(self) -> None:
        self._known: dict[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()

    def find(self, name: str | None) -> jwt.PyJWK:
        """Raises Problem `unauthenticated` where there is no such key, `unavailable` where it cannot be known."""
        if self._lacks(name):
            with self._lock:
                if self._lacks(name) and time.monotonic() - self._tried > settings.OUTSIDE_REFETCH_SECONDS:
                    self._fetch()
        key = self._only() if name is None else self._known.get(name)
        if key is None and not self._known:
            raise Problem("unavailable", "The keys of the log-in provider cannot be had now.", retry_after_ms=5000)
        if key is None:
            raise Problem("unauthenticated", "No key of the provider signed this token.")
        return key

    def _lacks(self, name: str | None) -> bool:
        old = time.monotonic() - self._fetched > settings.OUTSIDE_KEYS_SECONDS
        return old or (name not in self._known if name else not self._known)

    def _only(self) -> jwt.PyJWK | None:
        return next(iter(self._known.values())) if len(self._known) == 1 else None

    def _fetch(self) -> None:
        """Where that fails, what is known stays known."""
        self._tried = time.monotonic()
        try:
            answer = httpx.get(settings.OUTSIDE_JWKS_URL, timeout=FETCH_SECONDS, follow_redirects=False)
            answer.raise_for_status()
            self._known = {str(key.key_id): key for key in jwt.PyJWKSet.from_dict(answer.json()).keys}
            self._fetched = self._tried
        except (httpx.HTTPError, ValueError, AttributeError, TypeError, jwt.PyJWTError) as error:
            log.warning("OUTSIDE_JWKS_URL gave no keys: %s", type(error).__name__)


_keys = Keys()


def is_outside(raw: str) -> bool:
    """Whether a token says that it comes from the provider; that it lies is found out by `claims_of`."""
    if not settings.OUTSIDE_JWKS_URL:
        return False
    try:
        found = jwt.decode(raw, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return bool(found.get("iss") == settings.OUTSIDE_ISSUER)


def claims_of(raw: str) -> dict[str, Any]:
    """What a genuine token says. Raises Problem: `token_expired`, `unauthenticated` or `unavailable`."""
    try:
        header = jwt.get_unverified_header(raw)
        if header.get("alg") != settings.OUTSIDE_ALGORITHM:
            raise Problem("unauthenticated", f"Only {settings.OUTSIDE_ALGORITHM} counts.")
        return jwt.decode(
            raw,
            _keys.find(header.get("kid")),
            algorithms=[settings.OUTSIDE_ALGORITHM],
            audience=settings.OUTSIDE_AUDIENCE,
            issuer=settings.OUTSIDE_ISSUER,
            leeway=settings.TOKEN_LEEWAY_SECONDS,
            options={"require": NEEDED},
        )
    except jwt.ExpiredSignatureError as error:
        raise Problem("token_expired") from error
    except jwt.PyJWTError as error:
        raise Problem("unauthenticated") from error
