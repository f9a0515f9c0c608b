"""Log-ins that failed, at whichever door: Django itself tells of every one of them."""

from typing import Any

from django.contrib.auth.signals import user_login_failed
from django.db.models import Q
from django.dispatch import receiver

from accounts import audit
from accounts.models import User

UNKNOWN = "unknown"


@receiver(user_login_failed)
def note_failure(credentials: dict[str, Any], **_: Any) -> None:
    """An entry about the user who was named. A name that nobody has is not kept: now and then it is a password."""
    name = str(credentials.get("username") or credentials.get("email") or "")
    named = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name) & ~Q(email=""))
    audit.record(
        actor=None, action="login.failed", target=("user", named.values_list("id", flat=True).first() or UNKNOWN)
    )
