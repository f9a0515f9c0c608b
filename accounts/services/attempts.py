"""Retries of clients that give their requests no key, but count: those made with Stainless, OpenAI's SDK among them.

The first try of a request is given a key here, and noted; a retry (`x-stainless-retry-count` of 1 or more) is done
under the key of the try before it, as if it had brought an Idempotency-Key. A try whose answer was handed over to its
last byte is forgotten: whoever says the same again then means it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from accounts.identities import Identity
from accounts.models import Attempt

HEADER = "X-Stainless-Retry-Count"
# In the scope of a request (ASGI): its attempt, for whoever sees the last byte of its answer go.
SCOPE = "chatproject.attempt"
# Handed over by this process, and about to be deleted.
_completed: set[UUID] = set()


@dataclass(frozen=True)
class Try:
    """A request: of whom and by which login or key, on which route, with which body, about which conversation."""

    identity: Identity
    route: str
    body: Any
    about: UUID | None = None

    def key(self, retries: int) -> UUID:
        """The key to do it under: with `retries`, that of the newest try that is the same and was not answered."""
        before = self._before() if retries else None
        return before or self._note()

    def _before(self) -> UUID | None:
        same = Attempt.objects.filter(user=self.identity.user, login=self.identity.login, digest=self._digest())
        recent = same.filter(tried_at__gte=Now() - _matched()).exclude(id__in=list(_completed))
        found = recent.order_by("-tried_at").values_list("id", flat=True).first()
        # Another retry may come; whoever finds it gone was answered meanwhile.
        return found if found and Attempt.objects.filter(id=found).update(tried_at=Now()) else None

    def _note(self) -> UUID:
        """Committed before anything is done, so that a retry finds it whatever becomes of this process."""
        Attempt.objects.filter(tried_at__lt=Now() - _matched()).delete()
        attempt = Attempt.objects.create(
            user=self.identity.user, login=self.identity.login, digest=self._digest(), about=self.about
        )
        return attempt.id

    def _digest(self) -> bytes:
        encoded = msgspec.json.encode([self.route, self.body], order="sorted")
        return salted_hmac("accounts.attempts", encoded, algorithm="sha256").digest()


def retries_of(header: str | None) -> int | None:
    """What the header says; None where it is not there, says nothing, or is not looked at (RETRY_MATCH_SECONDS)."""
    known = header is not None and header.isascii() and header.isdigit() and len(header) <= 3
    return int(header) if header and known and settings.RETRY_MATCH_SECONDS else None


def answered(attempt: UUID) -> None:
    """From now on this process knows that the answer was handed over; `forget` is to follow."""
    _completed.add(attempt)


def forget(attempt: UUID) -> None:
    """Delete an attempt that was answered."""
    try:
        Attempt.objects.filter(id=attempt).delete()
    finally:
        _completed.discard(attempt)


def forget_about(conversation: UUID) -> None:
    """The content of a conversation was erased: nothing is to tell of what was said there."""
    Attempt.objects.filter(about=conversation).delete()


def _matched() -> timedelta:
    return timedelta(seconds=settings.RETRY_MATCH_SECONDS)
