"""Sessions, each seen by its own user alone."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.models import Session


def sessions_of(user: User) -> QuerySet[Session]:
    """The sessions of `user`, the newest first."""
    return Session.objects.filter(user=user).order_by("-started_at", "-id")


def session_for(user: User, id_: UUID) -> Session:
    """A session of `user`. Raises Problem `not_found`."""
    found = Session.objects.filter(user=user, id=id_).first()
    if found is None:
        raise Problem("not_found")
    return found


def sessions_ended_since(moment: datetime, among: Iterable[UUID]) -> set[UUID]:
    """Those of `among` that have ended since `moment`, for the poll."""
    ended = set(Session.objects.filter(ended_at__gte=moment).values_list("id", flat=True))
    return ended & set(among)
