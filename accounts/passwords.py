"""What a new password must be, and what it does."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import MinimumLengthValidator

from accounts.models import Login, User
from accounts.services import logins


class MinimumLength(MinimumLengthValidator):
    """Django's own. As a validator it is told of every password that was set, in whatever way (pages, the admin,
    `manage.py changepassword`): what was logged in with the old one ends."""

    def password_changed(self, password: str, user: AbstractBaseUser) -> None:
        if isinstance(user, User):
            logins.end_all(user=user, reason=Login.Reason.PASSWORD)
