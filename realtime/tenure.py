"""How long a connection may go on: its login has to live, and its token has to be replaced in time."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from accounts.identities import Identity
from accounts.services import tokens
from chatproject.lib import clock


class Tenure:
    """By whom, and by which login, a connection is held."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self._offered = False

    @property
    def login(self) -> UUID:
        """Of a login or of an API key, with which the connection ends."""
        return self.identity.login

    @property
    def over(self) -> bool:
        """Whether the token has expired and was not replaced, also not in the time of grace."""
        return self.identity.over

    def renew(self, say: Callable[[dict[str, Any]], None]) -> None:
        """Offer another token once, as soon as this one needs to be replaced. It counts when the client shows it."""
        if self._offered or not self.identity.renewal_due:
            return
        self._offered = True
        access, expires_at = tokens.renewed(self.identity)
        say({"type": "auth:renewed", "access": access, "expires_at": clock.rfc3339(expires_at)})
