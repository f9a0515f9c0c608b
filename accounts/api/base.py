"""What views for users share."""

from rest_framework.views import APIView

from accounts.models import User


class LoggedIn(APIView):
    """For users only (the default permission of settings.REST_FRAMEWORK)."""

    @property
    def user(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user
