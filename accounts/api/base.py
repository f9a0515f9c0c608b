"""What views for users share."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.identities import Identity, Scope
from accounts.limiting import counts_for, take_from_here, tell
from accounts.models import User
from chatproject.lib.limits import RateLimited, Standing, take


class Limited(APIView):
    """`limits` names for a method the limit that it counts for (docs/limits.md, `counts_for`)."""

    limits: ClassVar[dict[str, str]] = {}
    standing: Standing | None = None

    def check_throttles(self, request: Request) -> None:
        """Called once it is known who asks. Raises RateLimited."""
        try:
            self.standing = self.take(counts_for(str(request.method), self.limits))
        except RateLimited as refused:
            self.standing = refused.standing
            raise

    def take(self, name: str) -> Standing | None:
        """Count once more: for the user, or for the address of who is none."""
        return take(name, self.request.user.pk) if self.request.user.is_authenticated else take_from_here(name)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if self.standing:
            tell(self.standing, response)
        return super().finalize_response(request, response, *args, **kwargs)


class LoggedIn(Limited):
    """For users only (the default permission of settings.REST_FRAMEWORK).

    `scopes` names for each method what an API key needs, where that is not what accounts/scopes.py says.
    """

    scopes: ClassVar[dict[str, Scope]] = {}

    @property
    def user(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    @property
    def identity(self) -> Identity:
        """The user together with the login that the request came by."""
        assert isinstance(self.request.auth, Identity)
        return self.request.auth
