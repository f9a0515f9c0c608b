"""Strangers at a share: who is let in, and how often. Every visit counts as a view, once.

A visit is known again by its pass, which is signed and good for SHARE_VISIT_SECONDS: its further pages and its stream
count nothing. Who gave the right password on a page keeps a proof of it, which counts nothing either.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core import signing
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

from accounts import audit
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from conversations.models import Share
from conversations.services import shares

GOING_ON = "conversations.visits.going-on"
PROOF = "conversations.visits.proof"


@dataclass(frozen=True)
class Visit:
    """Somebody at a share since `at` (seconds since 1970); `place` is the seq at which a page ended."""

    share: Share
    at: int
    place: int | None = None

    def passport(self, place: int | None = None) -> str:
        """The pass to go on from a place."""
        return signing.dumps([self.share.id.hex, self.at, place], salt=GOING_ON)


def enter(*, token: str, password: str | None = None, proof: str | None = None, passport: str | None = None) -> Visit:
    """Let somebody in, and count it, or go on with the visit of a pass.

    Raises Problem `not_found` for a link that leads nowhere (any more), `unauthenticated` with `password: true` where
    a password is missing or wrong, `rate_limited` after too many wrong ones.
    """
    share = find(token)
    known = _known(share, passport)
    if known:
        return known
    if not Share.objects.unused().filter(id=share.id).exists():
        raise Problem("not_found")
    if not is_proven(share, proof):
        check(share, password)
    _count(share)
    return Visit(share, int(time.time()))


def find(token: str) -> Share:
    """The open share of a token. Raises Problem `not_found`."""
    share = Share.objects.open().select_related("conversation", "report").filter(digest=shares.digest(token)).first()
    if share is None:
        raise Problem("not_found")
    return share


def _known(share: Share, passport: str | None) -> Visit | None:
    """The visit of a pass of this share that is still good."""
    if not passport:
        return None
    try:
        id_, at, place = signing.loads(passport, salt=GOING_ON)
    except signing.BadSignature:
        return None
    alive = parse_id(id_) == share.id and time.time() < at + settings.SHARE_VISIT_SECONDS
    return Visit(share, at, place) if alive else None


def _count(share: Share) -> None:
    """One view more, if there may be one: decided on the row alone, so that the last one is given once."""
    if not Share.objects.unused().filter(id=share.id).update(views=F("views") + 1):
        raise Problem("not_found")


def proof_of(share: Share) -> str:
    """What somebody keeps who gave the right password."""
    return signing.dumps(share.id.hex, salt=PROOF)


def is_proven(share: Share, proof: str | None) -> bool:
    """Whether no password is needed (any more)."""
    if not share.password:
        return True
    try:
        found = signing.loads(proof or "", salt=PROOF, max_age=settings.SHARE_VISIT_SECONDS)
    except signing.BadSignature:
        return False
    return parse_id(found) == share.id


def check(share: Share, password: str | None) -> None:
    """Raise Problem `unauthenticated` (with `password: true`) for a wrong password, `rate_limited` after too many."""
    if not password:
        raise Problem("unauthenticated", "This link needs a password.", extra={"password": True})
    _try(share)
    if check_password(password, share.password):
        Share.objects.filter(id=share.id).update(tries=0)
        return
    _note_wrong(share)
    raise Problem("unauthenticated", "The password is wrong.", extra={"password": True})


def _try(share: Share) -> None:
    """Take one of the tries before the password is looked at, so that no more are made at the same time."""
    over = Q(tries_since=None) | Q(tries_since__lt=Now() - timedelta(seconds=settings.SHARE_PASSWORD_SECONDS))
    taken = (
        Share.objects.filter(over | Q(tries__lt=settings.SHARE_PASSWORD_TRIES), id=share.id)
        .update(
            tries=Case(When(over, then=1), default=F("tries") + 1),
            tries_since=Case(When(over, then=Now()), default=F("tries_since")),
        )
    )  # fmt: skip
    if not taken:
        raise Problem("rate_limited", retry_after_ms=_wait_ms(share.id))


def _wait_ms(share: UUID) -> int:
    since = Share.objects.filter(id=share).values_list("tries_since", flat=True).first()
    passed = (clock.now() - since).total_seconds() if since else 0
    return max(1, int((settings.SHARE_PASSWORD_SECONDS - passed) * 1000))


def _note_wrong(share: Share) -> None:
    audit.record(actor=None, action="share.password_wrong", target=("share", share.id), **shares.of(share))
