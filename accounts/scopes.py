"""What an API key may do. Every door asks here, once for each request and frame."""

from accounts.identities import Identity, Scope
from chatproject.lib.errors import Problem

SAFE = ("GET", "HEAD", "OPTIONS")


def of_request(method: str | None, declared: Scope | None) -> Scope:
    """What a request needs: what its route says, else by its method."""
    return declared or (Scope.READ if method in SAFE else Scope.WRITE)


def require(identity: Identity, scope: Scope) -> None:
    """Raises Problem `forbidden` where this is not allowed."""
    if scope not in identity.scopes:
        raise Problem("forbidden", f"This API key lacks the scope {scope.value}.")
