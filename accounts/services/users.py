"""Verbs on users."""

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from accounts import audit, state
from accounts.models import Login, User
from accounts.services import addresses, logins
from accounts.services.idempotency import Once
from accounts.wire import user as wire_user
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from chatproject.lib.jsonvalues import clean_object
from chatproject.lib.prepared import Prepared

log = logging.getLogger(__name__)

PREFERENCES_MAX_BYTES = 16384
PROFILE_FIELDS = ("name", "email", "language", "preferences")
ENDS_LOGINS = frozenset({"password", "is_active"})


def register(*, username: str, password: str, email: str = "") -> User:
    """Create a user, who may log in at once.

    Raises Problem: `forbidden` where sign-up is closed or an address has to be confirmed first, `invalid` for bad or
    taken names.
    """
    if not settings.REGISTRATION_OPEN:
        raise Problem("forbidden", "Registration is closed.")
    if not addresses.may_be_unconfirmed():
        raise Problem(
            "forbidden", "An e-mail address has to be confirmed first: sign up on the page /accounts/signup/."
        )
    username = User.normalize_username(username)
    user = User(username=username, email=email.lower())
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


def light() -> "QuerySet[User]":
    """Users without what is large in their rows; `state.complete` adds it where it is needed."""
    return User.objects.defer(state.LARGE)


@transaction.atomic
def update_profile(
    *, user: User, changes: dict[str, Any], version: int | None = None, idempotency_key: str | None = None
) -> User:
    """Change profile fields. With `version`, only if it is the current one; with a key, once.

    Raises Problem `stale` with the current user, `invalid` or `too_large` for preferences, `forbidden` for the
    e-mail address of somebody who confirmed theirs, `idempotency_mismatch`.
    """
    once = Once(user, "PATCH me", idempotency_key, [changes, version]) if idempotency_key else None
    if once and once.claim():
        return User.objects.get(id=user.id)
    fields = _checked({name: changes[name] for name in PROFILE_FIELDS if name in changes})
    rows = User.objects.filter(id=user.id)
    if version is not None:
        rows = rows.filter(version=version)
    if not rows.update(version=F("version") + 1, **fields):
        raise _stale(User.objects.get(id=user.id))
    if "email" in fields:
        addresses.claim(user, fields["email"])
    if once:
        once.remember(user.id)
    changed = User.objects.get(id=user.id)
    transaction.on_commit(partial(state.keep, changed))
    return changed


def seen(user: User) -> None:
    """Note that a user does something now: in their row, once in ACTIVE_SECONDS at most.

    Nobody is refused anything where that cannot be written.
    """
    if user.last_active and clock.now() - user.last_active < _active():
        return
    try:
        seen_lately([user.id])
    except DatabaseError as error:
        log.info("last_active could not be written (%s)", type(error).__name__)


def seen_lately(ids: Iterable[UUID]) -> None:
    """Note that several users are active now; for those of whom it was noted within ACTIVE_SECONDS, nothing."""
    long_ago = Q(last_active=None) | Q(last_active__lt=Now() - _active())
    User.objects.filter(long_ago, id__in=list(ids)).update(last_active=Now())


def _active() -> timedelta:
    return timedelta(seconds=settings.ACTIVE_SECONDS)


def note_change(*, user: User, what: str) -> None:
    """allauth changed something about `user`: their version grows, and a trace is left."""
    with transaction.atomic():
        User.objects.filter(id=user.id).update(version=F("version") + 1)
        audit.record(actor=user.id, action=f"user.{what}", target=("user", user.id))


def save_as_staff(*, user: User, changed: Collection[str]) -> None:
    """Insert a user that staff made, or store the fields that staff `changed`, and no others.

    A new password and (de)activation end all tokens and sockets. Relations and the audit entry follow in
    the caller's transaction.
    """
    if user._state.adding:
        user.save(force_insert=True)
        return
    values = {field.name: getattr(user, field.name) for field in user._meta.concrete_fields if field.name in changed}
    if "email" in changed:
        addresses.replace(user)
    User.objects.filter(id=user.id).update(**values, version=F("version") + 1)
    if not ENDS_LOGINS.isdisjoint(changed):
        logins.end_all(user=user, reason=Login.Reason.STAFF)


@transaction.atomic
def set_password(*, user: User, password: str) -> None:
    """Give a user another password, which was checked; ends all logins (accounts/passwords.py)."""
    user.set_password(password)
    user.save(update_fields=["password"])
    User.objects.filter(id=user.id).update(version=F("version") + 1)
    user.refresh_from_db(fields=["version", "auth_version"])
    audit.record(actor=user.id, action="user.password_changed", target=("user", user.id))


def display_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    """How each of these users is shown; those who are gone have an empty name."""
    wanted = list(ids)
    return dict.fromkeys(wanted, "") | {user.id: user.display_name for user in _users(ids=wanted)}


@Prepared
def _users(ids: list[UUID]) -> QuerySet[User, User]:
    return User.objects.filter(id__in=ids)


def create_first_admin(password: str) -> bool:
    """Create the superuser `admin` unless there is a superuser already; tells whether it did."""
    if User.objects.filter(is_superuser=True).exists():
        return False
    User.objects.create_superuser("admin", password=password)
    return True


def ensure_robot(username: str) -> User:
    """The user of a program of ours, made where there is none: nobody can log in as it."""
    user = User.objects.filter(username__iexact=username).first()
    return user or User.objects.create_user(username, password=None)


def find(id_or_username: object) -> User:
    """The active user with this id or username. Raises Problem `not_found`."""
    text = str(id_or_username)
    user_id = parse_id(text)
    by = {"id": user_id} if user_id else {"username": text}
    user = User.objects.filter(is_active=True, **by).first()
    if user is None:
        raise Problem("not_found", "There is no such user.")
    return user


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    if "preferences" in fields:
        clean_object("preferences", fields["preferences"], PREFERENCES_MAX_BYTES)
    if "email" in fields:
        fields["email"] = fields["email"].lower()
    return fields


def _stale(current: User) -> Problem:
    return Problem("stale", extra={"version": current.version, "user": wire_user(current)})


def _taken() -> Problem:
    return Problem("invalid", errors={"username": ["A user with that username already exists."]})


def _messages(error: ValidationError) -> dict[str, list[str]]:
    if hasattr(error, "error_dict"):
        return {field: [str(text) for text in texts] for field, texts in error.message_dict.items()}
    return {"password": list(error.messages)}
