"""Reads about people: what may act as them."""

from django.db.models import QuerySet

from accounts.models import ApiKey, Login, User


def keys_of(user: User) -> "QuerySet[ApiKey]":
    """The keys of a user that are not revoked."""
    return ApiKey.objects.living().filter(user=user)


def logins_of(user: User) -> "QuerySet[Login]":
    """Where a user is logged in."""
    return Login.objects.living().filter(user=user)
