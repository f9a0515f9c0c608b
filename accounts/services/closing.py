"""Closing an account: who leaves is a row without a name, which the logs of conversations go on pointing to."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.models import ApiKey, Login, OutsideAccount, User
from accounts.services import logins


@transaction.atomic
def close(*, user: User) -> None:
    """End all logins of `user`, and forget who they were. Nobody can bring it back."""
    for kind in (EmailAddress, SocialAccount, Authenticator, OutsideAccount, ApiKey):
        kind.objects.filter(user=user).delete()
    Login.objects.filter(user=user).update(user_agent="", address="")
    User.objects.filter(id=user.id).update(
        username=f"closed-{user.id.hex}",
        password=make_password(None),
        name="",
        email="",
        preferences={},
        is_active=False,
        is_staff=False,
        is_superuser=False,
        version=F("version") + 1,
    )
    logins.end_all(user=user, reason=Login.Reason.CLOSED)
    audit.record(actor=user.id, action="user.closed", target=("user", user.id))
