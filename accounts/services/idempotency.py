"""Idempotency-Keys of what no log can find by itself: a profile has no log, a new conversation has none yet, and
a message may come with a cmid of its own beside the key. Other verbs use the key as their cmid."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from accounts.models import IdempotencyKey, User
from chatproject.lib.errors import Problem


@dataclass(frozen=True)
class Once:
    """One request that may come again: who, on which route, under which key, with which body.

    Both methods belong into the transaction of the act itself.
    """

    user: User
    route: str
    key: str
    body: Any

    def claim(self) -> UUID | None:
        """The id of what the request made or changed before, or None the first time.

        Waits for whoever has the same key in hand. Raises Problem `idempotency_mismatch`.
        """
        lock = f"{self.user.id}|{self.route}|{self.key}"
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        row = self._rows().filter(key=self.key).first()
        if row and row.fingerprint and bytes(row.fingerprint) != self._fingerprint():
            raise Problem("idempotency_mismatch")
        return row.result if row else None

    def remember(self, result: UUID) -> None:
        """Keep the key for IDEMPOTENCY_HOURS; forget the user's older ones."""
        IdempotencyKey.objects.filter(user=self.user, created_at__lt=Now() - _kept()).delete()
        IdempotencyKey.objects.create(
            user=self.user,
            route=self.route,
            key=self.key,
            fingerprint=self._fingerprint(),
            result=result,
        )

    def _rows(self) -> Any:
        return IdempotencyKey.objects.filter(user=self.user, route=self.route, created_at__gte=Now() - _kept())

    def _fingerprint(self) -> bytes:
        encoded = msgspec.json.encode(self.body, order="sorted")
        return salted_hmac("conversations.idempotency", encoded, algorithm="sha256").digest()


def forget_body(result: UUID) -> None:
    """The content of `result` was erased: its keys stay, so that a request that comes again does not do it again,
    but tell nothing any more of what the request said."""
    IdempotencyKey.objects.filter(result=result).update(fingerprint=b"")


def _kept() -> timedelta:
    return timedelta(hours=settings.IDEMPOTENCY_HOURS)
