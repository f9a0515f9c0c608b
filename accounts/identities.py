"""Who somebody is: which user, by which login or key, allowed what, and until when."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings

from accounts.models import User


class Scope(StrEnum):
    """What an API key may do; whoever logs in may do all of it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


ALL = frozenset(Scope)


@dataclass(frozen=True)
class Identity:
    """`login` is the id of a login or of an API key; what is open as this identity ends with it.

    `expires_at` is when the token that was shown expires (None where none was: then the login alone counts), and
    `renewed_until` how long the server gives out new ones for it (None: it does not).
    """

    user: User
    login: UUID
    expires_at: datetime | None = None
    renewed_until: datetime | None = None
    scopes: frozenset[Scope] = ALL

    @property
    def renewal_due(self) -> bool:
        """Whether so much of the token's life is over that it is to be replaced, and can be."""
        if self.expires_at is None or self.renewed_until is None or self.renewed_until <= self.expires_at:
            return False
        rest = settings.ACCESS_TOKEN_SECONDS * (100 - settings.TOKEN_RENEW_PERCENT) / 100
        return datetime.now(UTC) >= self.expires_at - timedelta(seconds=rest)

    @property
    def over(self) -> bool:
        """Whether what was opened with the token must end: it expired TOKEN_GRACE_SECONDS ago."""
        if self.expires_at is None:
            return False
        return datetime.now(UTC) >= self.expires_at + timedelta(seconds=settings.TOKEN_GRACE_SECONDS)
