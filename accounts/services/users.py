"""Verbs on users."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts import audit
from accounts.models import Login, User
from accounts.services import logins
from accounts.services.idempotency import Once
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from chatproject.lib.jsonvalues import clean_object

PREFERENCES_MAX_BYTES = 16384
PROFILE_FIELDS = ("name", "email", "language", "preferences")
ENDS_LOGINS = frozenset({"password", "is_active"})


def register(*, username: str, password: str, email: str = "") -> User:
    """Create a user. Raises Problem: `forbidden` where sign-up is closed, `invalid` for bad or taken names."""
    if not settings.REGISTRATION_OPEN:
        raise Problem("forbidden", "Registration is closed.")
    username = User.normalize_username(username)
    user = User(username=username, email=email)
    try:
        user.clean_fields(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise Problem("invalid", errors=_messages(error)) from error
    if User.objects.filter(username__iexact=username).exists():
        raise _taken()
    user.password = make_password(password)  # `set_password` is for those who have one already: it ends logins
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            audit.record(actor=user.id, action="user.registered", target=("user", user.id))
    except IntegrityError as error:
        raise _taken() from error
    return user


@transaction.atomic
def update_profile(
    *, user: User, changes: dict[str, Any], version: int | None = None, idempotency_key: str | None = None
) -> User:
    """Change profile fields. With `version`, only if it is the current one; with a key, once.

    Raises Problem `stale` with the current version, `invalid` or `too_large` for preferences,
    `idempotency_mismatch`.
    """
    once = Once(user, "PATCH me", idempotency_key, [changes, version]) if idempotency_key else None
    if once and once.claim():
        return User.objects.get(id=user.id)
    fields = {name: changes[name] for name in PROFILE_FIELDS if name in changes}
    if "preferences" in fields:
        clean_object("preferences", fields["preferences"], PREFERENCES_MAX_BYTES)
    rows = User.objects.filter(id=user.id)
    if version is not None:
        rows = rows.filter(version=version)
    if not rows.update(version=F("version") + 1, **fields):
        raise Problem("stale", extra={"version": User.objects.get(id=user.id).version})
    if once:
        once.remember(user.id)
    return User.objects.get(id=user.id)


def save_as_staff(*, user: User, changed: Collection[str]) -> None:
    """Insert a user that staff made, or store the fields that staff `changed`, and no others.

    A new password and (de)activation end all tokens and sockets. Relations and the audit entry follow in
    the caller's transaction.
    """
    if user._state.adding:
        user.save(force_insert=True)
        return
    values = {field.name: getattr(user, field.name) for field in user._meta.concrete_fields if field.name in changed}
    User.objects.filter(id=user.id).update(**values, version=F("version") + 1)
    if not ENDS_LOGINS.isdisjoint(changed):
        logins.end_all(user=user, reason=Login.Reason.STAFF)


@transaction.atomic
def set_password(*, user: User, password: str) -> None:
    """Give a user another password, which was checked; ends all logins (accounts/passwords.py)."""
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(actor=user.id, action="user.password_changed", target=("user", user.id))


def display_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    """How each of these users is shown; those who are gone have an empty name."""
    wanted = list(ids)
    return dict.fromkeys(wanted, "") | {user.id: user.display_name for user in User.objects.filter(id__in=wanted)}


def create_first_admin(password: str) -> bool:
    """Create the superuser `admin` unless there is a superuser already; tells whether it did."""
    if User.objects.filter(is_superuser=True).exists():
        return False
    User.objects.create_superuser("admin", password=password)
    return True


def find(id_or_username: object) -> User:
    """The active user with this id or username. Raises Problem `not_found`."""
    text = str(id_or_username)
    user_id = parse_id(text)
    by = {"id": user_id} if user_id else {"username": text}
    user = User.objects.filter(is_active=True, **by).first()
    if user is None:
        raise Problem("not_found", "There is no such user.")
    return user


def _taken() -> Problem:
    return Problem("invalid", errors={"username": ["A user with that username already exists."]})


def _messages(error: ValidationError) -> dict[str, list[str]]:
    if hasattr(error, "error_dict"):
        return {field: [str(text) for text in texts] for field, texts in error.message_dict.items()}
    return {"password": list(error.messages)}
