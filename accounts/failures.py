"""Log-ins that failed, at whichever door."""

from django.db.models import Q

from accounts import audit
from accounts.models import User

UNKNOWN = "unknown"


def note_failure(name: str) -> None:
    """An entry about the user who was named. A name that nobody has is not kept: now and then it is a password."""
    named = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name) & ~Q(email=""))
    target = named.values_list("id", flat=True).first() or UNKNOWN
    audit.record(actor=None, action="login.failed", target=("user", target))
