"""What views for users share."""

from typing import ClassVar

from rest_framework.views import APIView

from accounts.identities import Identity, Scope
from accounts.models import User


class LoggedIn(APIView):
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
