"""How a request to a plugin says who it is: not at all, by a token, a key, OAuth, or the user's own authorisation."""

from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

from chatproject.lib.errors import Problem
from conversations.connectors import oauth
from conversations.connectors.setup import Json, Setup
from conversations.services import authorisations

SCHEMA: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type"],
    "properties": {
        "type": {"enum": ["none", "bearer", "api_key", "client_credentials", "user"]},
        "in": {"enum": ["header", "query"]},
        "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        **{name: {"type": "string", "maxLength": 500} for name in ("authorize_url", "token_url", "revoke_url")},
        "client_id": {"type": "string", "maxLength": 200},
        "scope": {"type": "string", "maxLength": 500},
    },
}
SECRETS = ("token", "client_secret")
NEEDED = {
    "api_key": ("name",),
    "client_credentials": ("token_url", "client_id"),
    "user": ("authorize_url", "token_url", "client_id"),
}


@dataclass
class Credentials:
    """Those of one connector. What costs a request is kept until it is over."""

    setup: Setup
    _own: oauth.Tokens | None = None
    _lock: Lock = field(default_factory=Lock)

    def of(self, user: UUID | None) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and query parameters of a request in the name of `user`; may take requests and queries.

        Raises AssistantError `connector_not_authorised` where the user has not allowed it yet.
        """
        auth = self.setup.config.get("auth", {"type": "none"})
        if auth["type"] == "none":
            return {}, {}
        if auth["type"] == "api_key":
            given = {auth["name"]: self.setup.secret("token")}
            return ({}, given) if auth.get("in") == "query" else (given, {})
        return {"Authorization": f"Bearer {self._bearer(auth['type'], user)}"}, {}

    def _bearer(self, type_: str, user: UUID | None) -> str:
        if type_ == "bearer":
            return self.setup.secret("token")
        if type_ == "user":
            return authorisations.access_token(self.setup, user)
        with self._lock:
            if self._own is None or self._own.over:
                self._own = oauth.by_client_credentials(self.setup)
            return self._own.access

    def forget(self) -> None:
        """The provider did not accept what we had."""
        with self._lock:
            self._own = None


def check(auth: Json) -> None:
    """Raises Problem `invalid` where something is missing."""
    missing = [name for name in NEEDED.get(auth["type"], ()) if not auth.get(name)]
    if missing:
        raise Problem("invalid", errors={"config": [f"auth.{name} is needed for {auth['type']}." for name in missing]})
