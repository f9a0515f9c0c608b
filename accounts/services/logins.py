"""Verbs on logins: begin, use, end. Whatever was opened by a login looks here whether it still lives."""

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts import audit, state
from accounts.identities import Identity
from accounts.models import Login, User
from accounts.origins import Origin
from chatproject.lib import clock, rows
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id

# The time of use is written once in so many seconds at most.
USE_NOTED = timedelta(seconds=60)
# One login and its user. Every request and every socket begins with it: what Django makes of the same query takes five
# times as long.
LIVING = f"""
    SELECT {rows.columns(Login, "l")}, {rows.columns(User, "u", but=state.LARGE)}
      FROM {Login._meta.db_table} l JOIN {User._meta.db_table} u ON u.id = l.user_id
     WHERE l.id = %s AND l.ended_at IS NULL AND l.expires_at > now()
       AND u.is_active AND l.auth_version = u.auth_version
"""  # noqa: S608  our own names
WIDTH = len(Login._meta.concrete_fields)
# How long logins that are over can still be looked at.
KEPT = timedelta(days=30)


@transaction.atomic
def begin(*, user: User, kind: str, origin: Origin | None = None) -> Login:
    """Log a user in, for LOGIN_SECONDS at most; forgets those of the user that are over for long."""
    origin = origin or Origin()
    Login.objects.filter(user=user, expires_at__lt=Now() - KEPT).delete()
    login = Login.objects.create(
        user=user,
        kind=kind,
        auth_version=user.auth_version,
        refresh_id=uuid4(),
        expires_at=clock.now() + timedelta(seconds=settings.LOGIN_SECONDS),
        user_agent=origin.user_agent,
        address=origin.address,
    )
    audit.record(actor=user.id, action="login.begun", target=("login", login.id), kind=kind)
    return login


def find(id_: object) -> Login:
    """A login that lives (as Logins.living says), with its user. Raises Problem `unauthenticated`."""
    known = parse_id(str(id_))
    found = rows.execute(LIVING, known).fetchone() if known else None
    if found is None:
        raise ended()
    [login] = rows.made(Login, [found[:WIDTH]])
    [login.user] = rows.made(User, [found[WIDTH:]], but=state.LARGE)
    return login


def identity(id_: object) -> Identity:
    """Who is logged in by a login, for as long as that lives. Raises Problem `unauthenticated`."""
    login = find(id_)
    note_use(login)
    return Identity(login.user, login.id)


def rotate(*, login: Login, used: UUID) -> UUID:
    """Take the refresh token `used` for a new one, whose id is returned. Raises Problem `unauthenticated` where it
    was taken before: somebody has it who should not, and so the whole login ends."""
    fresh = uuid4()
    # No join here: PostgreSQL looks at the conditions again once it has the row, but not into subqueries.
    if Login.objects.filter(id=login.id, refresh_id=used, ended_at=None).update(refresh_id=fresh, last_used=Now()):
        return fresh
    end(login=login.id, reason=Login.Reason.REUSED)
    raise ended()


def end(*, login: UUID, reason: str, actor: UUID | None = None) -> bool:
    """End a login, and with it what it opened, on every server; whether it still lived. `actor` is the user
    themselves unless given."""
    return _end(Login.objects.filter(id=login), reason, actor) > 0


def end_all(*, user: User, reason: str, actor: UUID | None = None) -> None:
    """End all logins of a user, also those that begin this very moment with what was right before."""
    with transaction.atomic():
        User.objects.filter(id=user.id).update(auth_version=F("auth_version") + 1)
        user.refresh_from_db(fields=["auth_version"])
        _end(Login.objects.filter(user=user), reason, actor)


def note_use(login: Login) -> None:
    """Write down that a login is used; where nothing can be written, that is no reason to refuse it."""
    if clock.now() - login.last_used > USE_NOTED:
        with suppress(DatabaseError), transaction.atomic():
            note_uses([login.id])


def note_uses(ids: Collection[UUID]) -> None:
    """These logins are used just now."""
    Login.objects.filter(id__in=ids, last_used__lt=Now() - USE_NOTED).update(last_used=Now())


def ended() -> Problem:
    return Problem("unauthenticated", "This login has ended.")


def _end(logins: QuerySet[Login], reason: str, actor: UUID | None) -> int:
    with transaction.atomic():
        found = list(logins.filter(ended_at=None).order_by("id").select_for_update(no_key=True))
        Login.objects.filter(id__in=[login.id for login in found]).update(ended_at=Now(), reason=reason)
        for login in found:
            who = actor or login.user_id
            audit.record(actor=who, action="login.ended", target=("login", login.id), reason=reason)
    return len(found)
