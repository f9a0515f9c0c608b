"""Reads of connectors, and of what users allowed them."""

from django.db.models import QuerySet

from accounts.models import User
from conversations.models import Authorisation, Connector


def personal_connectors() -> QuerySet[Connector]:
    """Those that act in the name of each user, once they allow it."""
    return Connector.objects.filter(enabled=True, config__auth__type="user").order_by("name")


def authorisations(user: User) -> QuerySet[Authorisation]:
    """What `user` allowed."""
    return Authorisation.objects.filter(user=user)
