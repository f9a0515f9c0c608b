"""OAuth 2 as a client (RFC 6749, 7636, 7009): tokens by client credentials, code and refresh; revocation."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx

from chatproject.lib import clock, outgoing
from conversations.assistants.base import AssistantError
from conversations.connectors.setup import Setup

# Tokens are renewed so long before they end.
EARLY = timedelta(seconds=30)
# Less than PostgreSQL lets a transaction wait, in which a refresh token is used (services/authorisations.py).
SECONDS = 4.0
Json = dict[str, Any]


@dataclass(frozen=True)
class Tokens:
    """What a provider gave; `expires_at` None: it did not say."""

    access: str
    refresh: str = ""
    expires_at: datetime | None = None

    @property
    def over(self) -> bool:
        return self.expires_at is not None and self.expires_at - EARLY <= clock.now()


class Refused(AssistantError):
    """The provider does not give tokens (any more) for what it was shown."""


def fresh_verifier() -> str:
    """A code verifier (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(64)


def authorize_url(setup: Setup, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where a user is sent to say yes: with PKCE, S256."""
    auth = setup.config["auth"]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": auth["client_id"],
        "redirect_uri": redirect_uri,
        "scope": auth.get("scope", ""),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in auth["authorize_url"] else "?"
    return auth["authorize_url"] + joint + urlencode({name: value for name, value in asked.items() if value})


def by_code(setup: Setup, *, code: str, redirect_uri: str, verifier: str) -> Tokens:
    """Exchange a code. Raises Refused, AssistantError."""
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    return _tokens(setup, grant)


def by_refresh(setup: Setup, refresh: str) -> Tokens:
    """Renew tokens; the provider may give another refresh token, or leave the one of before. Raises Refused,
    AssistantError."""
    given = _tokens(setup, {"grant_type": "refresh_token", "refresh_token": refresh})
    return given if given.refresh else Tokens(given.access, refresh, given.expires_at)


def by_client_credentials(setup: Setup) -> Tokens:
    """A token of the connector's own. Raises Refused, AssistantError."""
    scope = setup.config["auth"].get("scope")
    return _tokens(setup, {"grant_type": "client_credentials", **({"scope": scope} if scope else {})})


def revoke(setup: Setup, tokens: Tokens) -> None:
    """Have the provider forget tokens (RFC 7009). Raises AssistantError where it cannot be told."""
    url = setup.config["auth"].get("revoke_url")
    if not url:
        return
    for token, hint in ((tokens.refresh, "refresh_token"), (tokens.access, "access_token")):
        if token and _post(setup, url, {"token": token, "token_type_hint": hint}).status_code >= 400:
            raise AssistantError("connector_refused", "The provider did not revoke the authorisation.")


def _tokens(setup: Setup, grant: Json) -> Tokens:
    response = _post(setup, setup.config["auth"]["token_url"], grant)
    if response.status_code in (400, 401, 403):
        raise Refused("connector_refused", "The provider refused the authorisation.")
    try:
        given = response.json() if response.status_code < 300 else {}
        access, lasts = str(given["access_token"]), given.get("expires_in")
        until = clock.now() + timedelta(seconds=float(lasts)) if lasts is not None else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise AssistantError("connector_error", "The provider gave no token.") from error
    return Tokens(access, str(given.get("refresh_token") or ""), until)


def _post(setup: Setup, url: str, form: Json) -> httpx.Response:
    """A request of a client that says who it is: by its secret, or, where it has none, by its id alone."""
    form = {**form, "client_id": setup.config["auth"]["client_id"]}
    if setup.secret("client_secret"):
        form["client_secret"] = setup.secret("client_secret")
    try:
        with outgoing.client(seconds=SECONDS) as http:
            return http.post(url, data=form, headers={"Accept": "application/json"})
    except outgoing.Refused as error:
        raise AssistantError("connector_refused", str(error)) from error
    except httpx.HTTPError as error:
        raise AssistantError("connector_unreachable", "The provider cannot be reached.") from error
